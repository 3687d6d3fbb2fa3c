/** Counter drift of a limiter behind HTTP, as tests lead through it: the scenario `drift`, with the fault `f`. */
import type { InvariantReading } from '../../../src/engine/observed.ts';
import type { DrivenLimiter } from '../../kit/driven-limiter.ts';
import { until } from '../../kit/until.ts';

const PAUSE_MS = 3000;

/** What activities and effects are about. */
export const ABOUT = { fault: 'f', scenario: 'drift' } as const;

/** Stalls Redis under load for three seconds, and waits until the watch has ended. */
export async function watched(driver: DrivenLimiter): Promise<InvariantReading> {
  driver.converge([{ kind: 'Watch', ...ABOUT }]);
  await driver.inject('drift', PAUSE_MS);
  driver.converge([
    { kind: 'Watch', ...ABOUT },
    { kind: 'Load', ...ABOUT },
  ]);
  const whole = () => (driver.observed.readings['f']?.complete ? driver.observed.readings['f'] : undefined);
  return await until(whole, { what: 'the watch to end' });
}

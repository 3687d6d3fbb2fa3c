/** What an attempt knows when it has prepared its callers, as the head of its history. */
import type { ScenarioSpec } from '../../../api/index.ts';
import { HISTORY_VERSION, type Setup } from '../history/setup.ts';
import { CLOCK_WITHIN_MS } from '../limits/window-turn.ts';
import type { Toolkit } from './fault.ts';

/** @param preparedAt when the callers were made; milliseconds since the epoch */
export function setupOf(
  scenario: ScenarioSpec,
  { baseline, limiter, storeDoubt, target, usualWriteMs }: Toolkit,
  preparedAt: number,
): Setup {
  const doubt = storeDoubt();
  const measured = baseline();
  return {
    kind: 'setup',
    version: HISTORY_VERSION,
    scenario,
    limiter,
    pods: target.nodes.map(({ name }) => name),
    preparedAt,
    clockWithinMs: CLOCK_WITHIN_MS,
    usualWriteMs: usualWriteMs(),
    ...(doubt !== undefined && { storeDoubt: doubt }),
    ...(measured && {
      baseline: {
        writeP50Ms: measured.writeP50Ms,
        writeMaxMs: measured.writeMaxMs,
        denying: measured.denying,
      },
    }),
  };
}

/** An attempt and the framework must agree on its duration, or every fixture near the end of a window is rejected. */

import { expect, it } from 'vitest';
import { limiterSpec } from '../../../../test/kit/driven-limiter.ts';
import { type ChaosDemoSpec } from '../../../api/index.ts';
import { Attempt } from '../../run/attempt.ts';
import type { Toolkit } from '../controls/tools.ts';
import { CLOCK_WITHIN_MS } from '../limits/window-turn.ts';
import { storeOutage } from '../scenarios/store-outage/index.ts';
import { rateLimiterOf } from '../spec/schema.ts';

const WINDOW_MS = 60_000;

const spec = (scenario: object): ChaosDemoSpec =>
  limiterSpec({ http: { path: '/$(key)' }, limit: { windowStart: 'Clock' }, health: { timeout: '5s' } }, [
    { name: 's', countdown: '1s', ...scenario },
  ]);

/** Only a clock: code that uses any other part has not waited, and fails. */
function toolkitAt(now: number, limiter: Toolkit['limiter']): Toolkit {
  const target = { pods: [], redis: {} };
  return { now: () => now, limiter, podClients: [], target } as unknown as Toolkit;
}

it('a fault in windows by the clock waits for the next if its story does not fit', async () => {
  const parameters = { fault: { duration: '10s' }, settle: '2s', callerTimeout: '1s' };
  const parsed = spec({ type: 'StoreOutage', storeOutage: parameters });
  const [first] = parsed.scenarios;
  const limiter = rateLimiterOf(parsed);
  if (!first) throw new TypeError('there is a scenario');
  const plan = storeOutage.plan(first, limiter);
  const tooLate = WINDOW_MS - CLOCK_WITHIN_MS - plan.storyMs + 1;
  const toolkit = toolkitAt(tooLate, limiter);
  const attempt = new Attempt(storeOutage, plan, toolkit, (error) => expect.unreachable(String(error)));
  const waits = AbortSignal.abort(new Error('it waits'));
  await expect(attempt.prepare('demo-x', waits)).rejects.toThrow('it waits');
});

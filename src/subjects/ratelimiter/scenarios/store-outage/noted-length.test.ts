/** For how long a fault is noted, so that Redis cools down after it: as long as it really disturbs Redis. */
import { expect, it, onTestFinished } from 'vitest';
import { DrivenLimiter, limiterSpec } from '../../../../../test/kit/driven-limiter.ts';
import type { FaultSpan } from '../../../redis/noted-fault.ts';

/** The lengths that are noted for a scenario of 10 s. */
async function noted(scenario: object): Promise<number[]> {
  const spans: FaultSpan[] = [];
  const driver = new DrivenLimiter({
    pods: [],
    redis: { podName: 'redis-0', host: '127.0.0.1', port: 1, tls: false },
    spec: limiterSpec({}, [{ name: 'x', ...scenario }]),
    noteFault: async (fault) => {
      spans.push(fault);
      return async () => undefined;
    },
  });
  onTestFinished(() => driver.close());
  // It was not prepared, so nothing is sent.
  expect(await driver.inject('x', 10_000)).toMatchObject({ missed: true });
  return spans.map(({ from, until }) => until - from);
}

it.each([
  ['Stall', 10_000],
  ['Disconnect', 10_000],
  ['Failover', 10_000],
  // Over at once.
  ['DataLoss', 0],
])('a %s of 10 s is noted for %i ms', async (type, ms) => {
  const storeOutage = { fault: { type, duration: '10s' } };
  expect(await noted({ type: 'StoreOutage', storeOutage })).toEqual([ms]);
});

it('a pause is noted, and a burst without a fault is not', async () => {
  expect(await noted({ type: 'CounterDrift' })).toEqual([10_000]);
  expect(await noted({ type: 'GhostAllowing' })).toEqual([]);
});

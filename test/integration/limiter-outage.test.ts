/** The bundled limiter in both modes: what its callers get while Redis takes no writes, on real nodes and a real Redis. */

import type { LimiterMode } from '@chaosdemo/limiter';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DrivenLimiter, limiterSpec } from '../kit/driven-limiter.ts';
import { NodesOnRedis } from '../kit/nodes-on-redis.ts';
import { withoutRealTime } from '../kit/pace.ts';

const PAUSE_MS = 3000;

let ground: NodesOnRedis;
beforeAll(async () => {
  ground = await NodesOnRedis.start(['approximate', 'strict']);
});
afterAll(() => ground?.stop());

function driverOf(mode: LimiterMode, callerTimeout: string): DrivenLimiter {
  const storeOutage = {
    fault: { duration: '3s' },
    callerTimeout,
    requestsPerSecond: 10,
    settle: '2s',
    accept: ['Enforces'],
  };
  return new DrivenLimiter({
    pods: ground.nodes(mode),
    redis: ground.target(),
    spec: limiterSpec({ limit: { requests: 10 }, health: { timeout: '5s' } }, [
      { name: 'outage', type: 'StoreOutage', storeOutage },
    ]),
  });
}

describe.skipIf(withoutRealTime)('callers of the bundled limiter whose Redis takes no writes', () => {
  it.each([
    // Each pod decides locally, and admits the full limit of the caller that crosses it during the outage.
    ['approximate', 'FailsOpen', '1s'],
    // It queries Redis for each request, and answers 503 if that does not answer in time.
    ['strict', 'FailsClosed', '1s'],
    // Its callers do not wait for that.
    ['strict', 'Hangs', '300ms'],
  ] as const)('%s: %s', { timeout: 120_000 }, async (mode, behaviour, callerTimeout) => {
    const driver = driverOf(mode, callerTimeout);
    const key = `demo-outage-${mode}-${callerTimeout}`;
    try {
      const reading = await driver.leadThrough('outage', key, PAUSE_MS);
      expect(driver.observed.faults['f']).toMatchObject({ proof: 'Confirmed' });
      const served = behaviour === 'FailsOpen';
      expect(reading).toMatchObject({
        shortfalls: [],
        summary: served ? 'FailsOpen, 30 > 10' : behaviour,
        detectedAt: expect.any(Number),
      });
      const measures = new Map(reading.measures.map(({ name, value }) => [name, value]));
      expect((measures.get('notAdmitted') ?? 0) > 0).toBe(!served);
      expect(measures.get('overAdmission')).toBe(served ? 20 : 0);
      // What strict pods gave up is never counted.
      if (!served) expect(measures.get('overCounted')).toBe(0);
      const recovery = await driver.recover('outage', key, 2000);
      expect(recovery).toMatchObject({ report: { workedAt: expect.any(Number), measures: [] } });
    } finally {
      await driver.close();
    }
  });
});

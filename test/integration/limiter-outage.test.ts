/** The bundled limiter in strict mode: what its callers get while Redis takes no writes, on real pods and a real Redis. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { DrivenLimiter, limiterSpec } from '../kit/driven-limiter.ts';
import { NodesOnRedis } from '../kit/nodes-on-redis.ts';
import { withoutRealTime } from '../kit/pace.ts';

let ground: NodesOnRedis;
beforeAll(async () => {
  ground = await NodesOnRedis.start(['strict']);
});
afterAll(() => ground?.stop());

it.skipIf(withoutRealTime)(
  'strict pods fail closed, and count nothing of it later',
  { timeout: 120_000 },
  async () => {
    const storeOutage = {
      fault: { duration: '3s' },
      callerTimeout: '1s',
      requestsPerSecond: 10,
      settle: '2s',
      accept: ['Enforces'],
    };
    const driver = new DrivenLimiter({
      pods: ground.nodes('strict'),
      redis: ground.target(),
      spec: limiterSpec({ limit: { requests: 10 }, health: { timeout: '5s' } }, [
        { name: 'outage', type: 'StoreOutage', storeOutage },
      ]),
    });
    const key = 'demo-outage-strict';
    try {
      const reading = await driver.leadThrough('outage', key, 3000);
      expect(driver.observed.faults['f']).toMatchObject({ proof: 'Confirmed' });
      expect(reading).toMatchObject({
        shortfalls: [],
        summary: 'FailsClosed',
        detectedAt: expect.any(Number),
      });
      expect(reading.measures['notAdmitted']).toBeGreaterThan(0);
      expect(reading.measures).toMatchObject({ overAdmission: 0, overCounted: 0 });
      const recovery = await driver.recover('outage', 2000);
      expect(recovery).toMatchObject({ report: { workedAt: expect.any(Number) } });
    } finally {
      await driver.close();
    }
  },
);

/**
 * The control of the experiment: the same traffic and the same watch on an
 * approximate limiter, and no pause. Its nodes lag behind each other by a sync
 * interval, always; that must never be taken for a drift.
 */
import { describe, expect, it } from 'vitest';
import type { Activity } from '../../src/engine/effects.ts';
import { DrivenLimiter, limiterSpec } from '../kit/driven-limiter.ts';
import { onTestFinished } from '../kit/finished.ts';
import { NodesOnRedis } from '../kit/nodes-on-redis.ts';
import { keepingTime, withoutRealTime } from '../kit/pace.ts';
import { until } from '../kit/until.ts';

/** As long as the pause of a usual demo. */
const WATCH_MS = 10_000;
/** For the answers under way, and the counts that are not in Redis yet. */
const SETTLE_MS = 1_000;

describe.skipIf(withoutRealTime)('steady traffic without a pause, on an approximate limiter', () => {
  // A limit that the traffic of the watch does not reach: there is a lag for the whole time.
  it.concurrent.for([10, 400])('breaks no invariant at its normal lag, limit %i', (requests, context) =>
    keepingTime(async () => {
      const ground = await NodesOnRedis.start(['approximate'], [], requests);
      onTestFinished(() => ground.stop());
      const driver = new DrivenLimiter({
        pods: ground.nodes(),
        redis: ground.target(),
        spec: limiterSpec({ limit: { requests } }, [
          { name: 'drift', type: 'CounterDrift', expect: 'Violated' },
        ]),
      });
      const key = `demo-control-${requests}`;
      const about = { fault: 'none', scenario: 'drift', fixture: key };
      try {
        await driver.measureBaseline();
        await driver.perform({ kind: 'Prepare', id: 'p', ...about });
        const activities: Activity[] = [
          { kind: 'Watch', ...about },
          { kind: 'Load', ...about },
        ];
        const start = Date.now();
        driver.converge(activities);
        const watchedUntil = (end: number) =>
          until(
            () => {
              const now = driver.observed.readings['none'];
              return now && now.watchedUntil > end ? now : undefined;
            },
            { what: 'the watch to go on' },
          );
        await watchedUntil(start + WATCH_MS);
        // A request that is answered while a sample is taken is in the one and not in the other.
        driver.converge(activities.slice(0, 1));
        const reading = await watchedUntil(Date.now() + SETTLE_MS);
        expect(reading.detectedAt).toBeUndefined();
        expect(reading.brokenAt).toBeUndefined();
        // The limiter did admit, and Redis did count: the two stayed together.
        expect(reading.evidence.join('\n')).toMatch(
          /Steady traffic: \d{3} checks, [1-9]\d* admitted, 0 timeouts/,
        );
        // What a Held lacks is the fault; nothing that was seen speaks against it.
        const lacking = reading.shortfalls.join('; ');
        expect(lacking).toMatch(/end .*fault .*not seen/);
        expect(lacking).not.toMatch(/above .*bound|timeouts|fewer/);
      } finally {
        await driver.close();
      }
    })(context),
  );
});

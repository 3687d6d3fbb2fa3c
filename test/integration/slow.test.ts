/**
 * Fault type Latency on a real Redis: the outcome for limiters whose writes are slow. What is
 * reported is compared with the times of an outside observer.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { REDIS_ACL } from '../../src/subjects/ratelimiter/index.ts';
import { rows } from '../kit/nightly.ts';
import { NodesOnRedis, userLine } from '../kit/nodes-on-redis.ts';
import { keepingTime, withoutRealTime } from '../kit/pace.ts';
import { countsTo, drivenPods, opensTo } from './support/planted-pods.ts';

const LIMIT = 10;
const LATENCY_MS = 300;
const slow = (duration = '4s', latencyMs = LATENCY_MS) => ({
  type: 'Latency',
  duration,
  latency: `${latencyMs}ms`,
});

const counts = countsTo(LIMIT);
const opens = opensTo(LIMIT);

let ground: NodesOnRedis;
beforeAll(async () => {
  ground = await NodesOnRedis.start(['approximate'], [userLine('operator', REDIS_ACL)]);
});
afterAll(() => ground?.stop());

/** A client of the test that writes and reads all the time, and how long each took, in milliseconds. */
function observer() {
  const { host, port } = ground.redis;
  const over = new AbortController();
  const watch = (command: 'get' | 'incr') => {
    const redis = new Redis({ host, port });
    redis.on('error', () => undefined);
    const took: { readonly at: number; readonly ms: number }[] = [];
    const work = (async () => {
      while (!over.signal.aborted) {
        const at = Date.now();
        await redis[command]('stranger').catch(() => undefined);
        took.push({ at, ms: Date.now() - at });
        await sleep(1);
      }
    })();
    onTestFinished(async () => {
      over.abort();
      redis.disconnect();
      await work;
    });
    return { redis, took };
  };
  const [writes, reads] = [watch('incr'), watch('get')];
  const between = (took: typeof writes.took, from: number, to: number): number[] =>
    took.flatMap(({ at, ms }) => (at >= from && at + ms <= to ? [ms] : [])).toSorted((a, b) => a - b);
  return {
    writes: (from: number, to: number) => between(writes.took, from, to),
    reads: (from: number, to: number) => between(reads.took, from, to),
  };
}

const quantile = (sorted: readonly number[], share: number): number =>
  sorted[Math.floor(share * (sorted.length - 1))] ?? Number.NaN;

describe.skipIf(withoutRealTime)('a limiter whose Redis takes writes slowly', () => {
  const LIMITERS = [
    { does: 'Enforces', latencyMs: 300, admits: counts, options: {} },
    { does: 'FailsOpen', latencyMs: 300, admits: opens, options: { commandTimeout: 120 } },
    { does: 'Enforces', latencyMs: 100, admits: counts, options: {} },
    { does: 'Enforces', latencyMs: 500, admits: counts, options: {} },
    { does: 'Mixed', latencyMs: 300, admits: counts, options: { commandTimeout: 150 } },
  ];
  it.for(rows(LIMITERS, 2))(
    '$latencyMs ms: is found to do what it does: $does',
    ({ does, latencyMs, admits, options }, context) =>
      keepingTime(async () => {
        const { driver, key } = await drivenPods(ground, {
          admits,
          fault: slow('4s', latencyMs),
          limit: LIMIT,
          options,
        });
        const seen = observer();
        const reading = await driver.leadThrough('outage', key, 4000);
        const report = driver.observed.faults['f'];
        const { endedAt = 0, startedAt = 0 } = report ?? {};
        // If it is not, the message has the reason.
        expect(report?.proof === 'Confirmed' ? 'Confirmed' : report?.message).toBe('Confirmed');
        expect(reading.shortfalls).toEqual([]);
        expect(reading.summary).toMatch(new RegExp(`^${does}`));
        const [during, after] = [seen.writes(startedAt, endedAt), seen.writes(endedAt + 50, endedAt + 1500)];
        // A write right after the start of a pause may be ahead of the next one.
        expect(quantile(during, 0.25)).toBeGreaterThan(latencyMs / 2 - 20);
        // Reads in the fault, and writes after it, are faster than writes in it.
        expect(quantile(seen.reads(startedAt, endedAt), 0.5)).toBeLessThan(quantile(during, 0.25));
        expect(quantile(after, 0.5)).toBeLessThan(quantile(during, 0.25));
        await driver.perform({ kind: 'Diagnose', id: 'd', fault: 'f', scenario: 'outage', profile: 'rules' });
        expect(driver.observed.diagnoses['f/rules']?.diagnosis).toMatchObject({
          class: 'store-writes-stalled',
          component: 'store',
        });
        if (does !== 'Enforces') return;
        expect(reading.measures).toContainEqual(expect.objectContaining({ name: 'overAdmission', value: 0 }));
      })(context),
  );
});

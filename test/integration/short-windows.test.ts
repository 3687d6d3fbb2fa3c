/**
 * Limits of 10 requests in a second and in 10 seconds, and faults that last longer: plain servers of this test, three
 * pods over a real Redis.
 */
import type { Redis } from 'ioredis';
import { describe, expect, it } from 'vitest';
import type { RedisServer } from '../../src/local/redis-server.ts';
import { DrivenLimiter, limiterSpec } from '../kit/driven-limiter.ts';
import { onTestFinished, redisOfTest } from '../kit/finished.ts';
import { rows } from '../kit/nightly.ts';
import { withoutRealTime } from '../kit/pace.ts';
import { plantedPod } from '../kit/planted-pod.ts';

const LIMIT = 10;
const PAUSE_MS = 10_000;
/** How long a pod waits for Redis. */
const STORE_MS = 150;

interface Limiter {
  readonly seconds: number;
  /** Whether its windows go by the clock. */
  readonly byClock?: boolean;
  /** What it decides if Redis does not answer in time. */
  readonly opens?: boolean;
  /** Reads, decides and counts in three steps. */
  readonly races?: boolean;
}

/** Counts in one step with its window; what Redis carries out later than its caller waits is void. */
const COUNT = `local now = redis.call('TIME')
  if now[1] * 1000 + now[2] / 1000 - ARGV[1] > ${STORE_MS} then return redis.error_reply('late') end
  local used = redis.call('INCR', KEYS[1])
  if used == 1 then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
  return used`;

async function admits(store: Redis, caller: string, { byClock, races, seconds }: Limiter): Promise<boolean> {
  const key = byClock ? `${caller}:${Math.floor(Date.now() / (seconds * 1000))}` : caller;
  if (!races) return Number(await store.eval(COUNT, 1, key, Date.now(), seconds * 1000)) <= LIMIT;
  if (Number((await store.get(key)) ?? 0) >= LIMIT) return false;
  if ((await store.incr(key)) === 1) await store.expire(key, seconds);
  return true;
}

async function pod(name: string, redis: RedisServer, limiter: Limiter) {
  const decide = async (caller: string, store: Redis): Promise<boolean> => {
    try {
      return await admits(store, `rl:${caller}`, limiter);
    } catch (error) {
      if (limiter.opens) return true;
      throw error;
    }
  };
  return await plantedPod(name, redis, decide, { commandTimeout: STORE_MS });
}

let runs = 0;

/** Leads a limiter through one scenario. */
async function found(scenario: 'outage' | 'ghosts', limiter: Limiter) {
  const redis = await redisOfTest();
  const nodes = await Promise.all(['api-0', 'api-1', 'api-2'].map((name) => pod(name, redis, limiter)));
  const headers = [{ name: 'x-caller', value: '$(key)' }];
  const spec = limiterSpec(
    {
      http: { headers },
      limit: {
        requests: LIMIT,
        window: `${limiter.seconds}s`,
        windowStart: limiter.byClock ? 'Clock' : 'FirstRequest',
      },
      health: { path: '/healthz' },
    },
    [
      {
        name: 'outage',
        type: 'StoreOutage',
        storeOutage: {
          fault: { duration: '10s' },
          settle: '3s',
          requestsPerSecond: 10,
          accept: ['Enforces', 'FailsClosed'],
        },
      },
      { name: 'ghosts', type: 'GhostAllowing', expect: 'Violated', ghostAllowing: {} },
    ],
  );
  const { host, port } = redis;
  const driver = new DrivenLimiter({
    pods: nodes,
    redis: { podName: 'redis-0', host, port, tls: false },
    spec,
  });
  onTestFinished(() => driver.close());
  const key = `demo-short-${process.pid}-${(runs += 1)}`;
  return await driver.leadThrough(scenario, key, scenario === 'outage' ? PAUSE_MS : 10_000);
}

describe.skipIf(withoutRealTime)('a limit of 10 requests', { concurrent: true }, () => {
  const DETECTED = expect.any(Number);

  describe.each(rows([1, 10]))('in %i s', (seconds) => {
    it('holds in bursts if each pod counts in one step', async () => {
      const reading = await found('ghosts', { seconds });
      expect(reading).toMatchObject({ summary: '10/10, 0/3 trials', shortfalls: [] });
      expect(reading.detectedAt).toBeUndefined();
    });

    it('is exceeded by bursts if pods read, decide and count', async () => {
      const reading = await found('ghosts', { seconds, races: true });
      expect(reading).toMatchObject({ detectedAt: DETECTED });
    });

    it.each(rows([false, true]))(
      'is kept by a limiter that rejects all in a longer outage: by the clock %s',
      async (byClock) => {
        const reading = await found('outage', { seconds, byClock });
        expect(reading).toMatchObject({ summary: 'FailsClosed', shortfalls: [] });
        expect(reading.detectedAt).toBeUndefined();
        expect(reading.evidence.join('\n')).toContain('The limit was returned');
      },
    );

    it.each(rows([false, true]))(
      'is exceeded by a limiter that admits all in it: by the clock %s',
      async (byClock) => {
        const reading = await found('outage', { seconds, byClock, opens: true });
        expect(reading).toMatchObject({ detectedAt: DETECTED, shortfalls: [] });
        expect(reading.summary).toMatch(/^FailsOpen, \d+ > \d+$/);
      },
    );
  });
});

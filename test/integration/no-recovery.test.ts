/**
 * Limiters that lose their connections to a real Redis, and after the fault recover late or not at all: what is found
 * is held against what they did.
 */
import type { Redis } from 'ioredis';
import { describe, expect, it } from 'vitest';
import { REDIS_ACL } from '../../src/subjects/ratelimiter/index.ts';
import { DrivenLimiter, limiterSpec } from '../kit/driven-limiter.ts';
import { groundOfTest, onTestFinished } from '../kit/finished.ts';
import { rows } from '../kit/nightly.ts';
import { userLine } from '../kit/nodes-on-redis.ts';
import { keepingTime, withoutRealTime } from '../kit/pace.ts';
import { plantedPod } from '../kit/planted-pod.ts';

const LIMIT = 10;
const BREAK_MS = 3000;
const SETTLE_MS = 2000;
const ADDRESSES = ['127.0.0.71', '127.0.0.72'];

type Decide = () => Promise<boolean>;

/** What a pod does for so long after it lost its connection, instead of counting. */
interface Lapse {
  readonly forMs: number;
  readonly does: Decide;
}

const admits: Decide = async () => true;
const throws: Decide = () => Promise.reject(new Error('no connection'));

async function count(caller: string, store: Redis): Promise<boolean> {
  const script = `local used = redis.call('INCR', KEYS[1]) redis.call('EXPIRE', KEYS[1], 3600) return used`;
  return Number(await store.eval(script, 1, `rl:${caller}`)) <= LIMIT;
}

let runs = 0;

/** Leads pods with such lapses through a Disconnect; `accept`: the behaviour in the fault. */
async function led(lapses: readonly Lapse[], accept: string) {
  const ground = await groundOfTest([userLine('operator', `${REDIS_ACL} +client|kill`)]);
  const nodes = await Promise.all(
    lapses.map(({ does, forMs }, i) => {
      let lostAt = Number.NEGATIVE_INFINITY;
      const decide = async (caller: string, store: Redis): Promise<boolean> =>
        Date.now() < lostAt + forMs ? await does() : await count(caller, store).catch(does);
      return plantedPod(`api-${i}`, ground.redis, decide, {
        address: ADDRESSES[i] ?? '127.0.0.79',
        onStore: (store) => void store.on('close', () => (lostAt = Date.now())),
        enableOfflineQueue: false,
        maxRetriesPerRequest: 0,
        retryStrategy: () => 20,
      });
    }),
  );
  const storeOutage = {
    fault: { type: 'Disconnect', duration: `${BREAK_MS}ms` },
    callerTimeout: '500ms',
    requestsPerSecond: 10,
    settle: `${SETTLE_MS}ms`,
    accept: [accept],
  };
  const spec = limiterSpec(
    {
      http: { headers: [{ name: 'x-caller', value: '$(key)' }] },
      health: { path: '/healthz' },
      // The run does not wait for the end of so long a window.
      limit: { requests: LIMIT, window: '1h', algorithm: 'FixedWindow', windowStart: 'FirstRequest' },
    },
    [{ name: 'outage', type: 'StoreOutage', storeOutage }],
  );
  const driver = new DrivenLimiter({ pods: nodes, redis: ground.target('operator'), spec });
  onTestFinished(() => driver.close());
  const key = `demo-recovery-${process.pid}-${(runs += 1)}`;
  const reading = await driver.leadThrough('outage', key, BREAK_MS);
  expect(driver.observed.faults['f']).toMatchObject({ proof: 'Confirmed' });
  const time = reading.measures.find(({ name }) => name === 'timeToRecovery');
  return { reading, time };
}

const forEver = (does: Decide): Lapse => ({ does, forMs: Number.POSITIVE_INFINITY });
const wellBefore = (does: Decide): Lapse => ({ does, forMs: SETTLE_MS / 2 });
const justAfter = (does: Decide): Lapse => ({ does, forMs: SETTLE_MS + 500 });

describe.skipIf(withoutRealTime)('a limiter whose connections broke', { concurrent: true }, () => {
  const NEVER = [
    ['admits everything', 'FailsOpen', admits, /api-0 and api-1 still admitted .*over /],
    ['answers with errors', 'FailsClosed', throws, /api-0 and api-1 still rejected .*under/],
  ] as const;
  it.for(rows(NEVER))(
    'does not recover if it %s ever after, whatever is accepted',
    ([, accept, does, what], context) =>
      keepingTime(async () => {
        const { reading, time } = await led([forEver(does), forEver(does)], accept);
        expect(reading).toMatchObject({
          summary: `${accept}; no recovery in 2s`,
          detectedAt: expect.any(Number),
          shortfalls: [],
        });
        expect(time).toMatchObject({ bound: SETTLE_MS, atLeast: true });
        // Observed for so long at least.
        expect(time?.value).toBeGreaterThanOrEqual(SETTLE_MS);
        expect(reading.evidence.join('\n')).toMatch(what);
      })(context),
  );

  it('does not recover if one of its pods admits everything, which is named', (context) =>
    keepingTime(async () => {
      const { reading } = await led([wellBefore(admits), forEver(admits)], 'FailsOpen');
      expect(reading).toMatchObject({ summary: 'FailsOpen; no recovery in 2s', shortfalls: [] });
      expect(reading.evidence.join('\n')).toMatch(/No recovery .*2s: api-1 still admitted/);
    })(context));

  const LAPSES = [
    ['FailsOpen', admits],
    ['FailsClosed', throws],
  ] as const;
  it.for(rows(LAPSES))('recovers if it is back before the bound: %s', ([accept, does], context) =>
    keepingTime(async () => {
      const { reading, time } = await led([wellBefore(does), wellBefore(does)], accept);
      expect(reading.detectedAt).toBeUndefined();
      expect(reading.summary).not.toContain('no recovery');
      expect(reading.shortfalls).toEqual([]);
      expect(time).toMatchObject({ bound: SETTLE_MS });
      expect(time?.atLeast).toBeUndefined();
      expect(time?.value).toBeGreaterThan(SETTLE_MS / 2 - 200);
      expect(time?.value).toBeLessThan(SETTLE_MS);
    })(context),
  );

  it.for(rows(LAPSES))(
    'is too late if it is back just after the bound, and by how much: %s',
    ([accept, does], context) =>
      keepingTime(async () => {
        const { reading, time } = await led([justAfter(does), justAfter(does)], accept);
        expect(reading).toMatchObject({ summary: `${accept}; no recovery in 2s`, shortfalls: [] });
        expect(time?.atLeast).toBeUndefined();
        expect(time?.value).toBeGreaterThan(SETTLE_MS + 200);
      })(context),
  );
});

/**
 * Limiters that do not keep their limit although no fault is active, and specs that claim another one: plain servers of
 * the test's own, three nodes over a real Redis.
 */
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { type RedisServer, startRedis } from '../../src/local/redis-server.ts';
import { Supervisor } from '../../src/local/supervisor.ts';
import { DrivenLimiter, limiterSpec } from '../kit/driven-limiter.ts';
import { plantedPod } from '../kit/planted-pod.ts';

const LIMIT = 10;
const PODS = ['api-0', 'api-1', 'api-2'];
const WINDOW_S = 60;

/** Whether a caller is admitted. */
type Decide = (store: Redis, caller: string) => Promise<boolean>;

const supervisor = new Supervisor();
let redis: RedisServer;
beforeAll(async () => {
  redis = await startRedis({ supervisor });
});
afterAll(() => supervisor.close());

/** @param header by which it distinguishes callers */
async function driven(decideOf: () => Decide, header = 'x-caller') {
  const nodes = await Promise.all(
    PODS.map(async (pod) => {
      const decide = decideOf();
      return await plantedPod(pod, redis, (_, store, headers) => decide(store, String(headers[header])));
    }),
  );
  const spec = limiterSpec(
    {
      http: { headers: [{ name: 'x-caller', value: '$(key)' }] },
      limit: { requests: LIMIT, window: `${WINDOW_S}s`, algorithm: 'SlidingWindow' },
    },
    [
      { name: 'ghosts', type: 'GhostAllowing', expect: 'Held', ghostAllowing: {} },
      { name: 'outage', type: 'StoreOutage', expect: 'Held' },
    ],
  );
  const { host, port } = redis;
  const driver = new DrivenLimiter({
    pods: nodes,
    redis: { podName: 'redis-0', host, port, tls: false },
    spec,
  });
  onTestFinished(() => driver.close());
  return driver;
}

/** What the control in Setup finds. */
async function baselineOf(...args: Parameters<typeof driven>) {
  const driver = await driven(...args);
  await driver.measureBaseline();
  return driver.observed.baseline;
}

async function add(store: Redis, key: string): Promise<void> {
  await store.multi().incr(key).expire(key, WINDOW_S).exec();
}

/** Reads, decides and counts in three steps. */
const inSteps =
  (limit = LIMIT): Decide =>
  async (store, caller) => {
    if (Number(await store.get(caller)) >= limit) return false;
    await add(store, caller);
    return true;
  };

describe('without any fault', () => {
  it('a limiter that counts every second request is a violation, or the spec is wrong', async () => {
    let requests = 0;
    const everySecond: Decide = async (store, caller) => {
      if (Number(await store.get(caller)) >= LIMIT) return false;
      requests += 1;
      if (requests % 2 === 0) await add(store, caller);
      return true;
    };
    expect(await baselineOf(() => everySecond)).toMatchObject({
      ok: false,
      violated: true,
      message: expect.stringMatching(/admitted 20 times, .* 10\. .*requests is 20 /),
    });
  });

  it('a limit that holds in Setup and breaks for a later caller is a violation, too', async () => {
    const callers = new Set<string>();
    const driver = await driven(() => async (store, caller) => {
      callers.add(caller);
      return await inSteps([...callers].indexOf(caller) < 2 ? LIMIT : 2 * LIMIT)(store, caller);
    });
    await expect(driver.prepare('outage', `demo-later-${process.pid}`)).rejects.toThrow(
      'The limit is not kept',
    );
    expect(driver.observed.baseline).toMatchObject({ ok: false, violated: true });
  });
});

it('a race inside the pods shows in every run of the defaults', { timeout: 60_000 }, async () => {
  const driver = await driven(() => inSteps());
  const reading = await driver.leadThrough('ghosts', `demo-race-${process.pid}`, 5000);
  expect(reading.detectedAt).toBeDefined();
  expect(reading.measures).toContainEqual({ name: 'requests', value: 60, unit: 'requests' });
});

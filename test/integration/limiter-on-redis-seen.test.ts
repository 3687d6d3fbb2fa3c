/**
 * Whether a limiter behind HTTP counts in the Redis that the spec names, on a real Redis and with exactly the rights
 * that docs/your-limiter.md lists. The limiters are plain servers of this test; Redis is real.
 */

import { randomUUID } from 'node:crypto';
import { REDIS_ACL } from '@chaosdemo/redis-faults';
import { type RedisServer, Supervisor, startRedis } from '@chaosdemo/testbed';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { checkHealth } from '../../src/subjects/controls/http-health.ts';
import type { PodClient } from '../../src/subjects/http/pod-client.ts';
import { controlCallers } from '../../src/subjects/ratelimiter/controls/control-callers.ts';
import { HttpCallers } from '../../src/subjects/ratelimiter/interfaces/http/http-callers.ts';
import { rateLimiterOf } from '../../src/subjects/ratelimiter/spec/schema.ts';
import { timeoutOf } from '../../src/subjects/spec/pods-schema.ts';
import { clientOfPod } from '../fixtures/subjects/http/pods.ts';
import { limiterSpec, never } from '../kit/driven-limiter.ts';
import { storeOf } from '../kit/store.ts';

const LIMIT = 6;
const RIGHTS = REDIS_ACL.replace(' +hvals', '').replace(' %R~rl:*', '');
/** Of each kind: its command, and how a limiter counts one more request with it. */
const KINDS = [
  ['String', '+get', async (redis: Redis, key: string) => await redis.incr(key)],
  ['Hash', '+hget', async (redis: Redis, key: string) => await redis.hincrby(key, 'used', 1)],
  ['List', '+llen', async (redis: Redis, key: string) => await redis.rpush(key, '1')],
  [
    'Set',
    '+scard',
    async (redis: Redis, key: string) => {
      await redis.sadd(key, randomUUID());
      return await redis.scard(key);
    },
  ],
  [
    'SortedSet',
    '+zcard',
    async (redis: Redis, key: string) => {
      await redis.zadd(key, Date.now(), randomUUID());
      return await redis.zcard(key);
    },
  ],
] as const;

/** Counts one more request of a caller, and says how many there are. */
type Count = (key: string) => number | Promise<number>;

const supervisor = new Supervisor();
let server: RedisServer;
let store: Redis;
beforeAll(async () => {
  server = await startRedis({
    supervisor,
    aclUsers: [
      'user default on nopass ~* &* +@all',
      `user plain on >secret ${RIGHTS}`,
      `user looks on >secret ${RIGHTS} +scan +pttl %R~rl:demo-*`,
      ...KINDS.map(([type, right]) => `user ${type} on >secret ${RIGHTS} ${right} %R~rl:demo-*`),
    ],
  });
  store = new Redis({ host: server.host, port: server.port });
});
afterAll(async () => {
  store?.disconnect();
  await supervisor.close();
});

/** Makes the controls of a limiter that counts so on some nodes. */
async function control(count: Count, { limit = {}, nodes = 3, username = 'plain', place = {} } = {}) {
  const podClients: PodClient[] = [];
  for (let i = 0; i < nodes; i += 1) {
    const client = await clientOfPod(
      (request, response) => {
        const answer = async (): Promise<void> => {
          const caller = request.headers['x-caller'];
          // Health is not limited.
          const used = typeof caller === 'string' ? await count(`rl:${caller}`) : 0;
          response.writeHead(used > LIMIT ? 429 : 200).end();
        };
        answer().catch(() => response.writeHead(500).end());
      },
      { name: `api-${i}` },
    );
    podClients.push(client);
  }
  const http = { headers: [{ name: 'x-caller', value: '$(key)' }] };
  const limiter = rateLimiterOf(
    limiterSpec({
      http,
      limit: { requests: LIMIT, window: '60s', ...limit },
      redis: { serviceName: 'redis', ...place },
    }),
  );
  if (!limiter.http) throw new TypeError('there is no interface');
  const { host, port } = server;
  const redis = storeOf(
    { podName: 'redis-0', host, port, tls: false, username, password: 'secret' },
    randomUUID(),
  );
  onTestFinished(() => {
    redis.close();
    for (const asker of podClients) asker.close();
  });
  const health = { path: limiter.health.path, timeoutMs: timeoutOf(limiter) };
  // As in every run: health is polled while the controls are made.
  const looks = setInterval(() => {
    void checkHealth({ podClients, health, redis }, never).catch(() => undefined);
  }, 50);
  onTestFinished(() => clearInterval(looks));
  const callers = new HttpCallers(limiter.http);
  const room = () => ({ release: () => undefined });
  const toolkit = { podClients, callers, limiter, redis, room, now: () => Date.now() };
  return await controlCallers(toolkit, { key: `demo-${randomUUID()}`, rates: [] }, never);
}

/** Counts in the memory of all nodes. */
function inMemory(): Count {
  const counts = new Map<string, number>();
  return (key) => {
    counts.set(key, (counts.get(key) ?? 0) + 1);
    return counts.get(key) ?? 0;
  };
}

it('a limiter whose Redis the spec names is seen to use it for each request', async () => {
  const { message, storeDoubt } = await control(async (key) => await store.incr(key));
  expect(message).toMatch(/; redis-0 \S+ received a data .* each of 6 /);
  expect(storeDoubt).toBeUndefined();
});

it('controls end if only health checks and exporters use the Redis of the spec', async () => {
  const exporter = setInterval(() => {
    void store.ping();
    void store.info();
    void store.config('GET', 'maxmemory');
  }, 50);
  onTestFinished(() => clearInterval(exporter));
  await expect(control(inMemory())).rejects.toThrow(
    / 12 requests, .*redis-0 \S+ received no data command .* 5 s .*: .*rateLimiter\.redis\.serviceName$/,
  );
});

it.each(KINDS)(
  'a count of the kind %s is read with the right %s and those that are there',
  async (type, _, countOne) => {
    const place = { count: { key: 'rl:$(key)', type, ...(type === 'Hash' && { field: 'used' }) } };
    const { message, storeDoubt } = await control(async (key) => await countOne(store, key), {
      username: type,
      place,
    });
    expect(message).toMatch(/; Redis counted 12 of 12 for it$/);
    expect(storeDoubt).toBeUndefined();
  },
);

describe('the keys of callers, if the operator may read them', () => {
  const expires =
    (ms: number, each = false) =>
    async (key: string) => {
      const used = await store.incr(key);
      if (each || used === 1) await store.pexpire(key, ms);
      return used;
    };
  const clocked = async (key: string) => await expires(60_000)(`${key}:${Math.floor(Date.now() / 60_000)}`);
  const stated = { windowStart: 'FirstRequest' };

  it.each([
    ['counts as stated', expires(60_000), stated, undefined],
    ['restarts a window with each request', expires(60_000, true), stated, 'restarts its window'],
    ['never forgets', expires(1e12), {}, undefined],
    ['sets no expiry', async (key: string) => await store.incr(key), {}, 'has no expiry'],
  ])('show whether a caller is locked out by a limiter that %s', async (_, count, limit, lockOut) => {
    const { baseline } = await control(count, { username: 'looks', limit });
    expect(baseline.lockOut ?? 'none').toContain(lockOut ?? 'none');
  });

  it('show a window by the clock', async () => {
    const { baseline } = await control(clocked, { username: 'looks' });
    expect(baseline.rules).toEqual(['Clock', 'SlidingWindowCounter']);
  });

  it.each([
    ['another window', expires(12_000), {}, /60s.* 2 of 2 .* 12\.0 s .*limit\.window$/],
    ['another start', clocked, stated, /:\d{8}\).*windowStart/],
    [
      'another limit',
      async (key: string) => (await expires(60_000)(key)) / 2,
      {},
      /its limit is 12, .* states 6/,
    ],
  ])('end a run before any fault if the spec states %s', async (_, count, limit, message) => {
    await expect(control(count, { username: 'looks', limit })).rejects.toMatchObject({
      name: 'Error',
      message: expect.stringMatching(message),
    });
  });
});

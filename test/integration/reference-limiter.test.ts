/** How long nodes of the reference interface are given to learn of each other's counts, with a real Redis. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { type RedisServer, startRedis } from '../../src/local/redis-server.ts';
import { LimiterClient, RedisConnections } from '../../src/subjects/ratelimiter/index.ts';
import { ReferenceLimiter } from '../../src/subjects/ratelimiter/interfaces/reference/reference-limiter.ts';
import { rateLimiterOf } from '../../src/subjects/ratelimiter/schema.ts';
import { limiterSpec } from '../kit/driven-limiter.ts';

const never = new AbortController().signal;
const KEY = 'demo-learn';

let server: RedisServer;
let observer: Redis;
beforeAll(async () => {
  server = await startRedis();
  observer = new Redis({ host: server.host, port: server.port });
});
afterAll(async () => {
  observer?.disconnect();
  await server?.stop();
});

/** A node that says it has admitted two, of which Redis has counted so many; and how often it was looked at. */
async function nodeOf(counted: number) {
  let looks = 0;
  const window = { windowId: 'w', windowEndsAt: Date.now() + 600_000 };
  const node = createServer(({ method, url = '' }, response) => {
    const isLook = url.startsWith('/counter');
    if (isLook) looks += 1;
    const body = isLook ? { admitted: 2, redisKey: `count:{${KEY}}` } : { limit: 10 };
    response.writeHead(method === 'POST' ? 201 : 200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ ...body, ...window }));
  }).listen(0, '127.0.0.1');
  await once(node, 'listening');
  const { port } = node.address() as AddressInfo;
  const client = new LimiterClient({ name: 'rl-0', host: '127.0.0.1', port }, 5000, 4);
  const { host, port: redisPort } = server;
  const redis = new RedisConnections({ podName: 'redis-0', host, port: redisPort, tls: false }, 'probe');
  onTestFinished(async () => {
    redis.close();
    client.close();
    node.closeAllConnections();
    node.close();
  });
  await observer.hset(`count:{${KEY}}`, 'rl-0', counted);
  const reference = new ReferenceLimiter({
    ...{ clients: [client], redis, now: Date.now, timeoutMs: 400 },
    limiter: rateLimiterOf(limiterSpec({})),
  });
  await reference.introduce([{ key: KEY }], never);
  return { reference, looks: () => looks };
}

it('looks once where Redis holds what the nodes admitted', async () => {
  const { looks, reference } = await nodeOf(2);
  await reference.learned(KEY, never);
  expect(looks()).toBe(1);
});

it('waits for counts that never come only once: those are what an outage is to show', async () => {
  const { looks, reference } = await nodeOf(0);
  await reference.learned(KEY, never);
  const first = looks();
  await reference.learned(KEY, never);
  expect(looks()).toBe(first + 1);
});

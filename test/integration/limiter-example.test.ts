/** The example and the client of packages/limiter, over a real Redis. */

import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { LimiterClient, sampleCounters, setupRateLimit } from '@chaosdemo/limiter';
import { startRedis } from '@chaosdemo/testbed';
import { Redis } from 'ioredis';
import { expect, it, onTestFinished } from 'vitest';
import { NodesOnRedis } from '../kit/nodes-on-redis.ts';
import { until } from '../kit/until.ts';

const EXAMPLE = fileURLToPath(new URL('../../packages/limiter/example/burst.ts', import.meta.url));
const { signal } = new AbortController();

it.each([
  ['approximate', /^(1[1-9]|20) of 20 requests/],
  ['strict', /^10 of 20 requests/],
])('the example shows what a burst is admitted: %s', async (mode, output) => {
  const redis = await startRedis();
  onTestFinished(() => redis.stop());
  const env = {
    ...process.env,
    REDIS_PORT: String(redis.port),
    LIMITER_MODE: mode,
    LIMITER_CHECK_TIMEOUT: '10s',
  };
  const { stdout } = await promisify(execFile)(process.execPath, [EXAMPLE], { env });
  expect(stdout).toMatch(output);
});

it('the client sets a limit on all pods, and reads what they and Redis count', async () => {
  const ground = await NodesOnRedis.start();
  onTestFinished(() => ground.stop());
  const clients = ground.nodes().map((pod) => new LimiterClient(pod, 5000));
  onTestFinished(async () => void (await Promise.all(clients.map(async (client) => await client.close()))));
  const redis = new Redis({ host: ground.redis.host, port: ground.redis.port });
  onTestFinished(() => redis.disconnect());
  const key = 'demo-client';
  await setupRateLimit(clients, { key, limit: 3, windowMs: 60_000 }, 10_000, signal);
  const [first] = ground.nodes();
  const body = JSON.stringify({ key });
  const headers = { 'content-type': 'application/json' };
  const check = async (): Promise<number> =>
    (await fetch(`http://${first?.host}:${first?.port}/check`, { method: 'POST', headers, body })).status;
  expect([await check(), await check(), await check(), await check()]).toEqual([200, 200, 200, 429]);
  await until(async () => (await sampleCounters(clients, redis, key, signal)).stored === 3, {
    what: 'Redis to have all counts',
  });
  const { admitted } = await sampleCounters(clients, redis, key, signal);
  expect([...admitted.values()]).toEqual([3, 0, 0]);
});

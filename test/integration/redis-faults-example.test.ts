/** The example of packages/redis-faults, on a real Redis. */
import { execFile } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { startRedis } from '@chaosdemo/testbed';
import { Redis } from 'ioredis';
import { expect, it, onTestFinished } from 'vitest';

const EXAMPLE = fileURLToPath(new URL('../../packages/redis-faults/example/stall.ts', import.meta.url));

it('the example stalls writes for two seconds, and not longer', async () => {
  const server = await startRedis();
  onTestFinished(() => server.stop());
  const redis = new Redis({ host: server.host, port: server.port });
  onTestFinished(() => redis.disconnect());
  const env = { ...process.env, REDIS_PORT: String(server.port) };
  const running = promisify(execFile)(process.execPath, [EXAMPLE], { env });
  let isOver = false;
  const ending = running.finally(() => {
    isOver = true;
  });
  let longestMs = 0;
  while (!isOver) {
    const sentAt = performance.now();
    await redis.set('written', '1');
    longestMs = Math.max(longestMs, performance.now() - sentAt);
    await sleep(10);
  }
  const { stdout } = await ending;
  expect(stdout).toMatch(/^Confirmed: writes to redis \S+ stall for [12]\d{3} ms of the configured 2s/);
  expect(stdout).toMatch(/Writes were accepted again .*planned end of 2s\. Injected\n$/);
  expect(longestMs).toBeGreaterThan(1000);
});

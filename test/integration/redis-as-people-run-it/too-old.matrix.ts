/** A Redis that does not count its pauses: refused, with what to use instead. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { admitRedis } from '@chaosdemo/redis-faults';
import { freePort } from '@chaosdemo/testbed';
import { Redis } from 'ioredis';
import { expect, it, onTestFinished } from 'vitest';
import { until } from '../../kit/until.ts';

it('a Redis before 7.0 is refused', async () => {
  const [host, port] = ['127.0.0.1', await freePort()];
  // Our own start of a server would refuse it, too.
  const server = spawn('redis-server', ['--port', String(port), '--save', '', '--bind', host]);
  onTestFinished(async () => {
    server.kill('SIGKILL');
    if (server.exitCode === null && server.signalCode === null) await once(server, 'exit');
  });
  await until(
    async () => {
      const redis = new Redis({ host, port, lazyConnect: true, retryStrategy: () => null });
      redis.on('error', () => undefined);
      await redis.connect().finally(() => redis.disconnect());
      return true;
    },
    { what: 'Redis to take connections', deadlineMs: 20_000 },
  );
  const target = { redis: [{ podName: 'redis-0', host, port, tls: false }] as const, addresses: [] };
  const { signal } = new AbortController();
  await expect(admitRedis(target, { allowOtherClients: false, longestMs: 0 }, signal)).rejects.toThrow(
    /version 6\.\d+\.\d+: use Redis 7\.0 or later, or Valkey/,
  );
});

import { createServer } from 'node:net';
import { createSecureContext, rootCertificates } from 'node:tls';
import { expect, it, onTestFinished, vi } from 'vitest';
import { boundedConnection, tlsOf } from './bounded-connection.ts';
import { RedisConnections } from './redis-client.ts';
import { proveWrite } from './write-probe.ts';

// As it is; its calls are counted.
vi.mock('node:tls', { spy: true });

/** A closed port of loopback. */
async function deadPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('it has no port');
  return address.port;
}

it('the owner of a Redis address is checked now and then, not at each attempt', async () => {
  let checks = 0;
  const identity = {
    runId: 'a'.repeat(40),
    podIsThere: async () => {
      checks += 1;
      return true;
    },
  };
  const target = {
    podName: 'redis-0',
    host: '127.0.0.1',
    port: await deadPort(),
    tls: false,
    password: 'hunter2',
  };
  const redis = new RedisConnections(target, 'test', identity);
  onTestFinished(() => redis.close());
  const said: string[] = [];
  await proveWrite(redis, 1500, Date.now, new AbortController().signal, (problem) => said.push(problem));
  expect(said[0]).toMatch(/ECONNREFUSED/);
  expect(checks).toBeGreaterThan(1);
  // Twice a second.
  expect(checks).toBeLessThanOrEqual(4);
});

it('an authority is parsed once for all targets that have it', async () => {
  const parse = vi.mocked(createSecureContext).mockClear();
  const ca = rootCertificates[0] ?? '';
  const target = { podName: 'redis-0', host: '127.0.0.1', port: await deadPort(), tls: true, ca };
  const dialThrice = async (to: () => typeof target): Promise<void> => {
    for (let i = 0; i < 3; i += 1) {
      const dialled = boundedConnection(to(), { connectTimeout: 1000 }).connect();
      await expect(dialled).rejects.toThrow(/ECONNREFUSED/);
    }
  };
  await dialThrice(() => target);
  expect(parse).toHaveBeenCalledTimes(1);
  await dialThrice(() => ({ ...target }));
  expect(parse).toHaveBeenCalledTimes(1);
});

it('the authorities that were used last are kept, and no more than 16', () => {
  const parse = vi.mocked(createSecureContext).mockClear();
  const use = (i: number): unknown =>
    tlsOf({ podName: 'redis-0', host: '127.0.0.1', port: 6379, tls: true, ca: rootCertificates[i] ?? '' });
  for (let i = 20; i < 36; i += 1) use(i);
  expect(parse).toHaveBeenCalledTimes(16);
  use(20);
  use(36);
  use(20);
  expect(parse).toHaveBeenCalledTimes(17);
  use(21);
  expect(parse).toHaveBeenCalledTimes(18);
});

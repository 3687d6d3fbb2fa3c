import { createServer } from 'node:net';
import { rootCertificates } from 'node:tls';
import { expect, it, onTestFinished } from 'vitest';
import { tlsOf } from './bounded-connection.ts';
import { RedisConnections } from './redis-client.ts';
import { proveWrite } from './write-probe.ts';

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
  const began = performance.now();
  await proveWrite(redis, 1500, Date.now, new AbortController().signal, (problem) => said.push(problem));
  expect(said[0]).toMatch(/ECONNREFUSED/);
  expect(checks).toBeGreaterThan(1);
  // Twice a second, for as long as it took.
  expect(checks).toBeLessThanOrEqual(1 + (performance.now() - began) / 500);
});

/** What an authority was parsed to; by its place among those that Node brings. */
function parsed(authority: number): unknown {
  const ca = rootCertificates[authority] ?? '';
  return tlsOf({ podName: 'redis-0', host: '127.0.0.1', port: 6379, tls: true, ca })?.secureContext;
}

it('an authority is parsed once for all targets that have it', () => {
  expect(parsed(0)).toBeDefined();
  expect(parsed(0)).toBe(parsed(0));
  expect(parsed(1)).not.toBe(parsed(0));
});

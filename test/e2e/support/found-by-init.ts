/** `kubectl chaosdemo init` on an API in the cluster, as its user runs it: what it finds, writes, and leaves behind. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect } from 'vitest';
import { parse } from 'yaml';
import type { ChaosDemo } from '../../../src/api/index.ts';
import { configuredOf } from '../../../survey/runner/demo.ts';
import { rateLimiterSpec } from '../../../survey/runner/rate-limiter-spec.ts';
import { COMPILED, PLUGIN } from '../../integration/support/plugin.ts';
import { until } from '../../kit/until.ts';
import type { Cluster } from './cluster.ts';
import type { YourApi } from './your-api.ts';

const ALL = 'all,configmaps,secrets,leases,networkpolicies,chaosdemos';

/** The ChaosDemo that it writes. Nothing about the API is given, and all of it has to be found. */
export async function foundByInit(api: YourApi, cluster: Cluster): Promise<ChaosDemo> {
  const { limiter, namespace, variant } = api;
  const { kubeconfig } = cluster.provided;
  const names = () => cluster.kubectl.run(['-n', namespace, 'get', ALL, '-o', 'name']);
  const before = await names();
  const { stderr, stdout } = await promisify(execFile)(
    process.execPath,
    [PLUGIN, 'init', 'deploy/your-api', '-n', namespace, '--yes'],
    { env: { ...process.env, ...COMPILED, KUBECONFIG: kubeconfig, NO_COLOR: '1' } },
  );
  await cluster.keep(`${limiter.name}-init.yaml`, stdout);
  const demo = parse(stdout) as ChaosDemo;
  expect(demo.metadata).toEqual({ name: 'your-api', namespace });
  const { health, limit } = rateLimiterSpec(limiter, variant, configuredOf(limiter));
  expect(demo.spec).toHaveProperty('rateLimiter', {
    selector: { matchLabels: { 'app.kubernetes.io/name': 'your-api' } },
    port: 'http',
    http: { method: 'GET', path: '/', headers: [{ name: 'X-Api-Key', value: '$(key)' }] },
    health,
    limit,
    redis: { service: 'redis', port: 6379 },
  });
  // Namespace, rights and login are there, so nothing is left to do but to run it.
  expect(stderr.trimEnd().split('\n').at(-1)).toMatch(/^keys of these callers stay/);
  expect(await names()).toBe(before);
  const keys = await redisCli(cluster, namespace, '--scan', '--pattern', '*:demo-probe-*');
  const remaining = keys
    .split('\n')
    .filter(Boolean)
    .map((key) => redisCli(cluster, namespace, 'TTL', key));
  expect(remaining).not.toEqual([]);
  for (const seconds of await Promise.all(remaining)) {
    expect(Number(seconds), 'a key of init expires with its window').toSatisfy(
      (ttl: number) => ttl === -2 || (ttl >= 0 && ttl <= configuredOf(limiter).windowSeconds),
    );
  }
  await until(async () => (await fromLoopback(cluster, namespace)) === 1, {
    what: 'the connection of the PING to be closed, so that only redis-cli is connected from its pod',
  });
  return demo;
}

async function fromLoopback(cluster: Cluster, namespace: string): Promise<number> {
  const clients = await redisCli(cluster, namespace, 'CLIENT', 'LIST');
  return clients.match(/ addr=(127\.0\.0\.1|\[::1\]):/g)?.length ?? 0;
}

async function redisCli({ kubectl }: Cluster, namespace: string, ...args: string[]): Promise<string> {
  return await kubectl.run(['-n', namespace, 'exec', 'deployment/redis', '--', 'redis-cli', ...args]);
}

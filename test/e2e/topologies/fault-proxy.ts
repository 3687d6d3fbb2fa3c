/** The shipped overlay with a fault proxy, by the steps of docs/faults.md; then the same in front of a Redis with TLS. */
import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { parse } from 'yaml';
import type { ChaosDemo, ChaosDemoStatus } from '../../../src/api/index.ts';
import { root } from '../../../src/local/run.ts';
import { applyOverlay } from '../../../tools/cluster/install.ts';
import { certificateFor } from '../../kit/certificate.ts';
import { keepingTime } from '../../kit/pace.ts';
import { until } from '../../kit/until.ts';
import { type Cluster, isReady, NAMESPACE } from '../support/cluster.ts';
import { ended } from './target.ts';

const OVERLAY = 'manifests/ratelimiter/overlays/fault-proxy';
const TLS = '/etc/redis-tls';
/** Names under which the rate limiter, through the proxy, and the operator connect. */
const NAMES = ['redis', `redis-upstream.${NAMESPACE}.svc`].map((name) => `DNS:${name}`).join();

export function faultProxy(cluster: Cluster): void {
  const { kubectl, provided } = cluster;

  /** Also restarts the rate limiter, since its connections would stay with the former server. */
  const install = async (patches: readonly object[] = []): Promise<void> => {
    const untilReady = async (workload: string): Promise<void> => {
      await cluster.inNamespace('rollout', 'status', workload, '--timeout=180s');
    };
    await applyOverlay(kubectl, OVERLAY, provided.images, patches);
    await untilReady('statefulset/redis');
    // Pods that start before the Service leads to the proxy would connect to Redis.
    await untilReady('deployment/fault-proxy');
    await cluster.inNamespace('rollout', 'restart', 'deployment/ratelimiter');
    await untilReady('deployment/ratelimiter');
    await until(
      async () => {
        const pods = await cluster.limiterPods();
        return pods.length === 3 && pods.every(isReady);
      },
      { what: 'three Ready pods of the limiter' },
    );
  };
  const patchLogin = async (stringData: object): Promise<void> => {
    const patch = JSON.stringify({ stringData });
    await cluster.inNamespace('patch', 'secret', 'redis-auth', '--type=merge', '--patch', patch);
  };
  /** manifests/samples/refuse.yaml under another name, on a Redis with TLS or without, or with other scenarios. */
  const run = async (
    name: string,
    { others, tls = false }: { others?: object[]; tls?: boolean } = {},
  ): Promise<ChaosDemoStatus> => {
    const text = await readFile(join(root, 'manifests/samples/refuse.yaml'), 'utf8');
    const { spec, ...sample } = parse(text) as {
      spec: { rateLimiter: { redis: object }; scenarios: object[] };
    };
    const redis = { ...spec.rateLimiter.redis, ...(tls && { tls }) };
    const rateLimiter = { ...spec.rateLimiter, redis };
    // With TLS, only one of its faults is possible.
    const scenarios = others ?? (tls ? spec.scenarios.slice(0, 1) : spec.scenarios);
    const metadata = { namespace: NAMESPACE, name };
    return await ended(cluster, {
      ...sample,
      metadata,
      spec: { ...spec, rateLimiter, scenarios },
    } as unknown as ChaosDemo);
  };

  beforeAll(async () => {
    await cluster.useLimiter('strict');
    const token = [
      '--type=chaosdemo.dev/redis-auth',
      `--from-literal=password=${randomBytes(24).toString('hex')}`,
    ];
    await cluster.inNamespace('create', 'secret', 'generic', 'fault-proxy-auth', ...token);
    await patchLogin({ service: 'redis redis-upstream' });
    await install();
  });
  afterAll(async () => {
    await cluster.inNamespace('delete', 'chaosdemos', '--all', '--timeout=120s');
    await kubectl.run(['delete', '-k', join(root, OVERLAY), '--timeout=180s']);
  });

  it(
    'the shipped overlay reaches the verdict of manifests/samples/refuse.yaml',
    keepingTime(async () => {
      const status = await run('refuse');
      expect(status.run).toMatchObject({ phase: 'Failed', reason: 'UnexpectedViolation' });
      expect(status.scenarios).toMatchObject([
        { result: 'Held', summary: 'FailsClosed', fault: { proof: 'Confirmed' } },
        { result: 'Violated', summary: 'FailsClosed; no recovery in 5s', fault: { proof: 'Confirmed' } },
      ]);
    }),
  );

  it(
    'a Stall and a Latency via the proxy reach a verdict',
    keepingTime(async () => {
      const outage = (fault: object, accept: string): object => ({
        name: accept.toLowerCase(),
        type: 'StoreOutage',
        storeOutage: { fault, accept: [accept] },
      });
      const blackhole = outage({ type: 'Stall', via: 'Proxy', duration: '10s' }, 'FailsClosed');
      const latency = outage({ type: 'Latency', duration: '10s', latency: '100ms' }, 'Enforces');
      const status = await run('network', { others: [blackhole, latency] });
      expect(status.run).toMatchObject({ phase: 'Succeeded', reason: 'ExpectationsMet' });
      expect(status.scenarios).toMatchObject([
        { result: 'Held', summary: 'FailsClosed', fault: { proof: 'Confirmed' } },
        { result: 'Held', summary: 'Enforces', fault: { proof: 'Confirmed' } },
      ]);
    }),
  );

  it(
    'a Refuse before a Redis with TLS reaches a verdict',
    keepingTime(async () => {
      const folder = await mkdtemp(join(tmpdir(), 'chaosdemo-tls-'));
      try {
        const { caFile, certFile, keyFile } = await certificateFor(folder, NAMES);
        const files = [`tls.crt=${certFile}`, `tls.key=${keyFile}`, `ca.crt=${caFile}`].map(
          (file) => `--from-file=${file}`,
        );
        await cluster.inNamespace('create', 'secret', 'generic', 'redis-tls', ...files);
        await patchLogin({ 'ca.crt': await readFile(caFile, 'utf8') });
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
      await install([redisWithTls, limiterWithTls]);
      const status = await run('refuse-tls', { tls: true });
      expect(status.run).toMatchObject({ phase: 'Succeeded', reason: 'ExpectationsMet' });
      expect(status.scenarios).toMatchObject([
        { result: 'Held', summary: 'FailsClosed', fault: { proof: 'Confirmed' } },
      ]);
    }),
  );
}

const mounted = (kind: string, name: string, keys: readonly string[], container: object): object => ({
  apiVersion: 'apps/v1',
  kind,
  metadata: { namespace: NAMESPACE, name },
  spec: {
    template: {
      spec: {
        containers: [{ name, volumeMounts: [{ name: 'tls', mountPath: TLS, readOnly: true }], ...container }],
        volumes: [
          {
            name: 'tls',
            secret: { secretName: 'redis-tls', items: keys.map((key) => ({ key, path: key })) },
          },
        ],
      },
    },
  },
});
const server = ['--port', '0', '--tls-port', '6379', '--tls-auth-clients', 'no'];
const certificate = [
  '--tls-cert-file',
  `${TLS}/tls.crt`,
  '--tls-key-file',
  `${TLS}/tls.key`,
  '--tls-ca-cert-file',
  `${TLS}/ca.crt`,
];
const redisWithTls = mounted('StatefulSet', 'redis', ['tls.crt', 'tls.key', 'ca.crt'], {
  command: ['redis-server', '/etc/redis/redis.conf', ...server, ...certificate],
});
const limiterWithTls = mounted('Deployment', 'ratelimiter', ['ca.crt'], {
  env: [
    { name: 'REDIS_TLS', value: 'true' },
    { name: 'REDIS_TLS_CA_FILE', value: `${TLS}/ca.crt` },
  ],
});

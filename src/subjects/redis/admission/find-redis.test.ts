import { describe, expect, it } from 'vitest';
import { MemoryCluster } from '../../../../test/fixtures/subjects/cluster.ts';
import { type PodFields, pod } from '../../../../test/fixtures/subjects/targets/pod.ts';
import { NamespaceReader } from '../../targets/namespace-reader.ts';
import { redisSchema } from '../schema.ts';
import { atItsAddress, findFaultProxy, findSentinels } from './find-redis.ts';

const redis = { podName: 'redis-0', podUid: 'uid-redis-0', host: '10.0.0.1', port: 6379, tls: false };

it.each<[string, 'Staying' | 'Going' | 'Gone', (pod: PodFields) => void]>([
  ['a pod that is as it was', 'Staying', () => undefined],
  // Its Redis answers until the pod is gone, and an active fault has to be released.
  [
    'one that is being deleted',
    'Going',
    ({ metadata }) => {
      metadata.deletionTimestamp = '2026-01-01T00:00:00Z';
    },
  ],
  [
    'one that has ended',
    'Gone',
    ({ status }) => {
      status.phase = 'Failed';
    },
  ],
  [
    'one that was recreated',
    'Gone',
    ({ metadata }) => {
      metadata.uid = 'another';
    },
  ],
  [
    'one with another address',
    'Gone',
    ({ status }) => {
      status.podIP = '10.0.0.2';
    },
  ],
])('takes %s for %s', async (_, where, change) => {
  const cluster = new MemoryCluster();
  cluster.podList = [pod('redis-0', change)];
  const place = { cluster, namespace: 'shop' };
  expect(await atItsAddress(place, redis, new AbortController().signal)).toBe(where);
  cluster.podList = [];
  expect(await atItsAddress(place, redis, new AbortController().signal)).toBe('Gone');
});

describe('the Sentinels of a spec', () => {
  const specOf = (sentinel?: object) => redisSchema.parse({ service: 'redis', tls: true, sentinel });
  const sentinel = { service: 'redis-sentinel', masterName: 'limits', authSecretName: 'sentinel-auth' };

  function clusterOf(services: string): MemoryCluster {
    const cluster = new MemoryCluster();
    cluster.podList = ['s-1', 's-0'].map((name) =>
      pod(name, ({ metadata }) => {
        metadata.labels = { app: 'sentinel' };
      }),
    );
    cluster.services = [
      {
        metadata: { name: 'redis-sentinel' },
        spec: { selector: { app: 'sentinel' }, ports: [{ port: 26379 }] },
      },
    ];
    const data = { password: btoa('of-sentinel'), service: btoa(services) };
    cluster.secrets = [{ metadata: { name: 'sentinel-auth' }, type: 'chaosdemo.dev/redis-auth', data }];
    return cluster;
  }
  const find = async (cluster: MemoryCluster, spec = specOf(sentinel)) =>
    await findSentinels(
      new NamespaceReader(cluster, 'shop', new AbortController().signal),
      spec,
      'rateLimiter',
    );

  it('are all pods behind the Service, with TLS and the password for it', async () => {
    const login = {
      namespace: 'shop',
      tls: true,
      servername: 'redis-sentinel.shop.svc',
      password: 'of-sentinel',
      setting: 'rateLimiter.redis.sentinel',
    };
    expect(await find(clusterOf('redis redis-sentinel'))).toEqual({
      masterName: 'limits',
      servers: ['s-0', 's-1'].map((podName) => ({
        podName,
        podUid: `uid-${podName}`,
        host: '10.0.0.1',
        port: 26379,
        ...login,
      })),
    });
  });

  it('are refused without their Service, with its field', async () => {
    const cluster = clusterOf('redis-sentinel');
    cluster.services = [];
    await expect(find(cluster)).rejects.toThrow(/rateLimiter\.redis\.sentinel\.service/);
  });
});

describe('the fault proxy of a spec', () => {
  const faultProxy = { service: 'fault-proxy', authSecretName: 'fault-proxy-auth' };

  function clusterOf(data: Readonly<Record<string, string>>, pods = ['proxy-0']): MemoryCluster {
    const cluster = new MemoryCluster();
    cluster.podList = pods.map((name) =>
      pod(name, ({ metadata }) => {
        metadata.labels = { app: 'fault-proxy' };
      }),
    );
    const spec = { selector: { app: 'fault-proxy' }, ports: [{ port: 8474 }] };
    cluster.services = [{ metadata: { name: 'fault-proxy' }, spec }];
    cluster.secrets = [{ metadata: { name: 'fault-proxy-auth' }, type: 'chaosdemo.dev/redis-auth', data }];
    return cluster;
  }
  const find = async (cluster: MemoryCluster, spec: object = { faultProxy }) =>
    await findFaultProxy(
      new NamespaceReader(cluster, 'shop', new AbortController().signal),
      redisSchema.parse({ service: 'redis', ...spec }),
      'rateLimiter',
    );

  it('is the one pod behind the Service, with the token for it', async () => {
    expect(await find(clusterOf({ password: btoa('a-token') }))).toEqual({
      podName: 'proxy-0',
      host: '10.0.0.1',
      port: 8474,
      token: 'a-token',
      setting: 'rateLimiter.redis.faultProxy',
    });
  });

  it('gets no token that is for another Service', async () => {
    const data = { password: btoa('a-token'), service: btoa('redis') };
    await expect(find(clusterOf(data))).rejects.toThrow(/fault-proxy-auth is not for Service fault-proxy/);
  });

  it('is one pod', async () => {
    const cluster = clusterOf({ password: btoa('a-token') }, ['proxy-0', 'proxy-1']);
    await expect(find(cluster)).rejects.toThrow(/selects 2 pods .*in one pod/);
    await expect(find(clusterOf({}, []))).rejects.toThrow(/start fault proxy pods/);
  });
});

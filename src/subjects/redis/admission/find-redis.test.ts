import { describe, expect, it } from 'vitest';
import { MemoryCluster } from '../../../../test/fixtures/subjects/cluster.ts';
import { type PodFields, pod } from '../../../../test/fixtures/subjects/targets/pod.ts';
import { messageOf } from '../../../api/index.ts';
import { redisSchema } from '../../spec/redis-schema.ts';
import { NamespaceReader } from '../../targets/namespace-reader.ts';
import { atItsAddress, findFaultProxy, findRedis, findSentinels } from './find-redis.ts';

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

const CA = '-----BEGIN CERTIFICATE-----\nAA\n-----END CERTIFICATE-----\n';

/** A namespace with such a Service, its pods, and Secrets by their names. */
function readerOf(
  service: string,
  port: number,
  pods: readonly string[],
  secrets: Readonly<Record<string, Readonly<Record<string, string>>>>,
  type = 'chaosdemo.dev/redis-auth',
): NamespaceReader {
  const cluster = new MemoryCluster();
  const labels = { app: service };
  const labelled = ({ metadata }: PodFields): void => {
    metadata.labels = labels;
  };
  cluster.podList = pods.map((name) => pod(name, labelled));
  cluster.services = [{ metadata: { name: service }, spec: { selector: labels, ports: [{ port }] } }];
  cluster.secrets = Object.entries(secrets).map(([name, keys]) => {
    const data = Object.fromEntries(Object.entries(keys).map(([key, value]) => [key, btoa(value)]));
    return { metadata: { name }, type, data };
  });
  return new NamespaceReader(cluster, 'shop', new AbortController().signal);
}

const placeOf = (redis: object) => ({ part: 'rateLimiter', spec: { redis: redisSchema.parse(redis) } });

describe('the Sentinels of a spec', () => {
  const find = async (service: string) => {
    const secrets = {
      'sentinel-auth': { password: 'of-sentinel', service: 'redis redis-sentinel' },
      authority: { 'ca.crt': CA },
    };
    const reader = readerOf(service, 26379, ['s-1', 's-0'], secrets);
    const sentinel = { serviceName: 'redis-sentinel', masterName: 'limits', authSecretName: 'sentinel-auth' };
    const spec = { serviceName: 'redis', tls: { caSecretName: 'authority' }, sentinel };
    return await findSentinels(reader, placeOf(spec));
  };

  it('are all pods behind the Service, with TLS and the password for it', async () => {
    const login = {
      namespace: 'shop',
      tls: true,
      servername: 'redis-sentinel.shop.svc',
      ca: CA,
      password: 'of-sentinel',
      setting: 'rateLimiter.redis.sentinel',
    };
    expect(await find('redis-sentinel')).toEqual({
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
    await expect(find('other')).rejects.toThrow(/sentinel\.serviceName/);
  });
});

describe('the Secret with the authorities of a spec', () => {
  const found = async (ca: string, { name = 'authority', type = 'chaosdemo.dev/redis-auth' } = {}) => {
    const reader = readerOf('redis', 6379, ['redis-0'], { [name]: { 'ca.crt': ca } }, type);
    const tls = { caSecretName: 'authority', serverName: 'a.example.com' };
    return await findRedis(reader, placeOf({ serviceName: 'redis', tls }));
  };

  it('needs no login', async () => {
    expect(await found(CA)).toMatchObject([{ tls: true, ca: CA, servername: 'a.example.com' }]);
  });

  it.each<[string, string, object?]>([
    ['another type', CA, { type: 'Opaque' }],
    ['another name', CA, { name: 'b' }],
    ['no ca.crt', ''],
    ['a ca.crt that is none', 'hunter2'],
    ['65 certificates', CA.repeat(65)],
    ['65 under another label', CA + CA.replaceAll('CERT', 'TRUSTED CERT').repeat(64)],
    ['a ca.crt that is too long', CA.repeat(5000)],
  ])('is refused with %s, and no value is repeated', async (_, ca, secret) => {
    const refusal = await found(ca, secret).catch(messageOf);
    expect(refusal).not.toContain('hunter2');
    expect(refusal).toMatchSnapshot();
  });
});

describe('the fault proxy of a spec', () => {
  const faultProxy = { serviceName: 'fault-proxy', authSecretName: 'fault-proxy-auth' };
  const find = async (keys: Readonly<Record<string, string>>, pods = ['proxy-0']) =>
    await findFaultProxy(
      readerOf('fault-proxy', 8474, pods, { 'fault-proxy-auth': keys }),
      placeOf({ serviceName: 'redis', faultProxy }),
    );

  it('is the one pod behind the Service, with the token for it', async () => {
    expect(await find({ password: 'a-token' })).toEqual({
      podName: 'proxy-0',
      host: '10.0.0.1',
      port: 8474,
      token: 'a-token',
      setting: 'rateLimiter.redis.faultProxy',
    });
  });

  it('gets no token that is for another Service', async () => {
    const keys = { password: 'a-token', service: 'redis' };
    await expect(find(keys)).rejects.toMatchObject({ reason: 'RedisAuthInvalid' });
  });

  it('is one pod', async () => {
    const keys = { password: 'a-token' };
    await expect(find(keys, ['proxy-0', 'proxy-1'])).rejects.toMatchObject({ reason: 'RedisNotEligible' });
    await expect(find(keys, [])).rejects.toMatchObject({ reason: 'RedisNotFound' });
  });
});

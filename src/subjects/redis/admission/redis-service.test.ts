import { describe, expect, it } from 'vitest';
import { type PodFields, pod, unready } from '../../../../test/fixtures/subjects/targets/pod.ts';
import { expectRefusal } from '../../../../test/fixtures/subjects/targets/refusal.ts';
import type { Reason } from '../../../api/index.ts';
import type { Pod, Service } from '../../cluster.ts';
import { podSelectorOf, resolvePods, usesIn } from './redis-service.ts';

const USES = usesIn('rateLimiter');

type ServiceSpec = NonNullable<Service['spec']>;

function service(spec: ServiceSpec = {}): Service {
  const ports = [{ port: 6379, targetPort: 'redis' }];
  return { metadata: { name: 'my-redis' }, spec: { selector: { app: 'redis' }, ports, ...spec } };
}

function redisPod(name: string, change: (pod: PodFields) => void = () => {}): Pod {
  return pod(name, (fields) => {
    fields.spec.containers = [{ name: 'redis', ports: [{ name: 'redis', containerPort: 6380 }] }];
    change(fields);
  });
}

it.each<[string, ServiceSpec]>([
  ['leads elsewhere', { type: 'ExternalName' }],
  ['has no selector', { selector: {} }],
  ['leads elsewhere and has a selector', { type: 'ExternalName', selector: { a: 'b' } }],
])('podSelectorOf refuses a Service that %s', (_, spec) => {
  expectRefusal(() => podSelectorOf(service(spec), USES.redis), 'RedisNotEligible');
});

describe('resolvePods', () => {
  it.each<[string, ServiceSpec, number]>([
    ['a name', {}, 6380],
    ['a number', { ports: [{ port: 6379, targetPort: 7000 }] }, 7000],
    ['nothing, which is the port itself', { ports: [{ port: 6379 }] }, 6379],
    [
      'an entry behind one of UDP',
      {
        ports: [
          { port: 6379, protocol: 'UDP', targetPort: 1 },
          { port: 6379, targetPort: 7000 },
        ],
      },
      7000,
    ],
  ])('follows a targetPort that is %s', (_, spec, port) => {
    expect(resolvePods(service(spec), 6379, [redisPod('redis-0')], USES.redis)).toEqual([
      { podName: 'redis-0', podUid: expect.any(String), host: '10.0.0.1', port },
    ]);
  });

  it('passes over pods that are not ready or on their way out', () => {
    const leaving = redisPod('redis-1', ({ metadata }) => {
      metadata.deletionTimestamp = '2026-01-01T00:00:00Z';
    });
    const pods = [leaving, redisPod('redis-2', unready), redisPod('redis-0')];
    expect(resolvePods(service(), 6379, pods, USES.redis)).toMatchObject([{ podName: 'redis-0' }]);
  });

  it('finds all nodes of a Cluster, in the order of their names', () => {
    const pods = ['redis-2', 'redis-0', 'redis-1'].map((name) => redisPod(name));
    const found = resolvePods(service(), 6379, pods, USES.redis);
    expect(found.map(({ podName }) => podName)).toEqual(['redis-0', 'redis-1', 'redis-2']);
  });

  const onHost = ({ spec }: PodFields): void => {
    spec.hostNetwork = true;
  };
  const many = Array.from({ length: 65 }, (_, i) => redisPod(`r-${i}`));
  const db = { ports: [{ port: 6379, targetPort: 'db' }] };

  it.each<[string, ServiceSpec, Pod[], Reason]>([
    ['has no such port', { ports: [{ port: 6380 }] }, [], 'RedisNotFound'],
    ['has no ports', { ports: [] }, [], 'RedisNotFound'],
    ['has no pods', {}, [], 'RedisNotFound'],
    ['has none ready', {}, [redisPod('r', unready)], 'RedisNotFound'],
    ['has 65', {}, many, 'RedisNotEligible'],
    ['has one on the host network', {}, [redisPod('r', onHost)], 'RedisNotEligible'],
    ['sends to a port that the pod lacks', db, [redisPod('r')], 'RedisNotEligible'],
  ])('refuses a Service that %s', (_, spec, pods, reason) => {
    expectRefusal(() => resolvePods(service(spec), 6379, pods, USES.redis), reason);
  });
});

describe('resolvePods of Sentinels', () => {
  const sentinels = (count: number): Pod[] =>
    Array.from({ length: count }, (_, i) => redisPod(`s-${String(count - i).padStart(2, '0')}`));

  it('finds all pods, in the order of their names', () => {
    const found = resolvePods(service(), 6379, sentinels(16), USES.sentinels);
    expect(found).toHaveLength(16);
    expect(found.slice(0, 2)).toMatchObject([{ podName: 's-01', port: 6380 }, { podName: 's-02' }]);
  });

  it.each<[string, Pod[], Reason]>([
    ['no pods', [], 'RedisNotFound'],
    ['17', sentinels(17), 'RedisNotEligible'],
    // It may watch, and its settings are unknown.
    ['one that is not Ready', [...sentinels(2), redisPod('t', unready)], 'RedisUnreachable'],
  ])('refuses a Service that has %s', (_, pods, reason) => {
    expectRefusal(() => resolvePods(service(), 6379, pods, USES.sentinels), reason);
  });
});

import { expect, it } from 'vitest';
import { MemoryCluster } from '../../../../test/fixtures/subjects/cluster.ts';
import { type PodFields, pod } from '../../../../test/fixtures/subjects/targets/pod.ts';
import { atItsAddress } from './find-redis.ts';

const redis = { podName: 'redis-0', podUid: 'uid-redis-0', host: '10.0.0.1', port: 6379, tls: false };

it.each<[string, 'Staying' | 'Going' | 'Gone', (pod: PodFields) => void]>([
  ['a pod that is as it was', 'Staying', () => undefined],
  // Its Redis answers until the pod is gone, and what is on there has to be released.
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
    'one that was made anew',
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

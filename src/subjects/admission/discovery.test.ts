import { expect, it } from 'vitest';
import { MemoryCluster } from '../../../test/fixtures/subjects/cluster.ts';
import { pod } from '../../../test/fixtures/subjects/targets/pod.ts';
import { redisSchema } from '../spec/redis-schema.ts';
import { selectPods } from '../targets/eligible-pods.ts';
import { lookAtPods } from './discovery.ts';

it('pods are replaced if gone, being deleted, or others of the same name', async () => {
  const cluster = new MemoryCluster();
  cluster.podList = [pod('a'), pod('b')].map((one) => {
    one.metadata.labels = { app: 'x' };
    return one;
  });
  const spec = {
    selector: { matchLabels: { app: 'x' } },
    port: 'http',
    redis: redisSchema.parse({ serviceName: 'redis' }),
    health: { path: '/', timeout: '5s' },
  };
  const place = { cluster, namespace: 'shop', part: 'rateLimiter', spec };
  const { pods } = selectPods(cluster.podList, { selector: 'app=x', port: 'http', part: 'rateLimiter' });
  const replaced = async () => (await lookAtPods(place, pods, new AbortController().signal)).replaced;
  expect(await replaced()).toEqual([]);
  const [a, b] = cluster.podList;
  if (a) a.metadata.deletionTimestamp = '2026-01-01T00:00:00Z';
  if (b) b.metadata.uid = 'another';
  expect(await replaced()).toEqual(['a', 'b']);
  cluster.podList = [];
  expect(await replaced()).toEqual(['a', 'b']);
});

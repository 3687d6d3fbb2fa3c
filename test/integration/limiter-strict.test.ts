import { afterAll, beforeAll, expect, it } from 'vitest';
import { until } from '../kit/until.ts';
import { burst, type Cluster, countedIn, defineEverywhere, startCluster } from './limiter-support.ts';

let cluster: Cluster;
beforeAll(async () => {
  // Long enough that a slow machine is not mistaken for a Redis that does not answer.
  cluster = await startCluster({
    LIMITER_MODE: 'strict',
    LIMITER_CHECK_TIMEOUT: '10s',
    LIMITER_WRITE_TIMEOUT: '10s',
  });
});
afterAll(async () => await cluster?.stop());

it('admits exactly the limit of a burst over all nodes', async () => {
  await defineEverywhere(cluster.nodes, 'exact', 10);
  expect(await burst(cluster.nodes, 'exact', 20)).toEqual({ 200: 10, 429: 10 });
  const counters = await Promise.all(cluster.nodes.map(async (node) => await node.counter('exact')));
  expect(counters.reduce((sum, { admitted }) => sum + admitted, 0)).toBe(10);
  expect(counters.reduce((sum, { synced }) => sum + synced, 0)).toBe(10);
  expect(await countedIn(cluster.observer, counters[0]?.redisKey ?? '')).toBe(10);
});

it('a strict limiter answers 503 while writes stall, and counts nothing later', async () => {
  const strict = await startCluster({ LIMITER_MODE: 'strict', LIMITER_CHECK_TIMEOUT: '300ms' });
  try {
    await defineEverywhere(strict.nodes, 'paused', 10);
    const redisKey = (await strict.nodes[0]?.counter('paused'))?.redisKey ?? '';
    await strict.observer.client('PAUSE', 120_000, 'WRITE');
    expect(await burst(strict.nodes, 'paused', 12)).toEqual({ 503: 12 });
    const refused = await strict.nodes[0]?.check('paused');
    expect(refused?.body).toMatchObject({ error: { code: 'CHECK_DEADLINE_EXCEEDED' } });
    await strict.observer.client('UNPAUSE');
    // A write over the same connection comes after the checks that were held back.
    for (const [i, node] of strict.nodes.entries())
      expect((await node.define(`after-${i}`, 1)).status).toBe(201);
    expect(await countedIn(strict.observer, redisKey)).toBe(0);
    for (const node of strict.nodes)
      expect(await node.counter('paused')).toMatchObject({ admitted: 0, synced: 0 });
  } finally {
    await strict.stop();
  }
});

it('rejects without Redis, and admits again after Redis lost its data', async () => {
  await defineEverywhere(cluster.nodes, 'lost', 1);
  expect(await burst(cluster.nodes, 'lost', 3)).toEqual({ 200: 1, 429: 2 });
  await cluster.redis.kill9();
  expect((await cluster.nodes[1]?.check('lost'))?.status).toBe(503);
  await cluster.redis.restart();
  for (const node of cluster.nodes) {
    await until(async () => [200, 429].includes((await node.check('lost')).status));
  }
});

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { keepingTime, withoutRealTime } from '../kit/pace.ts';
import { until } from '../kit/until.ts';
import {
  burst,
  type Cluster,
  countedIn,
  defineEverywhere,
  type PodClient,
  startCluster,
} from './limiter-support.ts';

let cluster: Cluster;
beforeAll(async () => {
  cluster = await startCluster();
});
afterAll(async () => await cluster?.stop());

async function admittedBy(nodes: readonly PodClient[], key: string): Promise<number> {
  const counters = await Promise.all(nodes.map(async (node) => await node.counter(key)));
  return counters.reduce((sum, { admitted }) => sum + admitted, 0);
}

async function redisKeyOf(key: string): Promise<string> {
  const counter = await cluster.nodes[0]?.counter(key);
  return counter?.redisKey ?? '';
}

/**
 * Runs `work` while Redis holds writes back, proven by a write that stays unanswered, and releases it.
 * Begins once nothing of an earlier test is left to be written.
 */
async function whilePaused(work: () => Promise<void>): Promise<void> {
  for (const node of cluster.nodes) {
    await until(async () => ((await node.call('GET', '/health')).body as { pending: number }).pending === 0);
  }
  const prober = cluster.observer.duplicate();
  await cluster.observer.client('PAUSE', 120_000, 'WRITE');
  try {
    let answered = false;
    const probe = prober.set('probe', '1').then(() => {
      answered = true;
    });
    await work();
    expect(answered).toBe(false);
    await cluster.observer.client('UNPAUSE');
    await probe;
  } finally {
    await cluster.observer.client('UNPAUSE');
    prober.disconnect();
  }
}

describe.skipIf(withoutRealTime)('a burst over all nodes', () => {
  it(
    'is admitted beyond the limit, and the nodes and Redis agree on how far',
    keepingTime(async () => {
      // One sync interval that is longer than the burst on any machine.
      const slow = await startCluster({ LIMITER_SYNC_INTERVAL: '10s' });
      try {
        await defineEverywhere(slow.nodes.slice(0, 1), 'burst', 10);
        const answers = await burst(slow.nodes, 'burst', 20);
        expect((answers[200] ?? 0) + (answers[429] ?? 0)).toBe(20);
        expect(answers[200]).toBeGreaterThan(10);
        expect(await admittedBy(slow.nodes, 'burst')).toBe(answers[200]);
        const key = (await slow.nodes[0]?.counter('burst'))?.redisKey ?? '';
        await until(async () => (await countedIn(slow.observer, key)) === answers[200]);
      } finally {
        await slow.stop();
      }
    }),
  );
});

describe.skipIf(withoutRealTime)('a write pause', () => {
  it(
    'a write pause lets counters drift up to pods x limit, and they converge after',
    keepingTime(async () => {
      await defineEverywhere(cluster.nodes, 'drift', 10);
      const redisKey = await redisKeyOf('drift');
      await whilePaused(async () => {
        expect(await burst(cluster.nodes, 'drift', 60)).toEqual({ 200: 30, 429: 30 });
        expect(await admittedBy(cluster.nodes, 'drift')).toBe(30);
        expect(await countedIn(cluster.observer, redisKey)).toBe(0);
        for (const node of cluster.nodes) {
          expect(await node.counter('drift')).toMatchObject({ admitted: 10, synced: 0 });
          expect((await node.call('GET', '/health')).body).toMatchObject({
            redisConnected: true,
            pending: 10,
          });
        }
      });
      await until(async () => (await countedIn(cluster.observer, redisKey)) === 30);
      for (const node of cluster.nodes) {
        await until(async () => (await node.counter('drift')).synced === 10);
      }
      expect(await cluster.observer.hgetall(redisKey)).toEqual({
        'node-2': '10',
        'node-3': '10',
        'node-4': '10',
      });
    }),
  );
});

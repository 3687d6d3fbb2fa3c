/** Counts and faults by key and by server, on a real Redis Cluster of three masters and a replica. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Supervisor } from '../../../src/local/supervisor.ts';
import type { RedisTarget } from '../../../src/subjects/ratelimiter/index.ts';
import type { CountPlace } from '../../../src/subjects/redis/client/count-place.ts';
import type { PerServer } from '../../../src/subjects/redis/client/per-server.ts';
import { admit, session } from './support/clustered-run.ts';
import { RedisCluster } from './support/redis-cluster.ts';

let supervisor: Supervisor;
let cluster: RedisCluster;
beforeAll(async () => {
  supervisor = new Supervisor();
  cluster = await RedisCluster.start(supervisor, 3, 1);
});
afterAll(async () => {
  cluster?.close();
  await supervisor?.close();
});

/** A count of 7, 8 or 9 on each master. */
async function counts(): Promise<CountPlace[]> {
  const places: CountPlace[] = [];
  for (const [node, key] of (await cluster.keys()).entries()) {
    places.push({ key: `rl:demo-{${key}}`, type: 'String', pattern: 'rl:demo-*' });
    await cluster.call(node, 'SET', `rl:demo-{${key}}`, String(7 + node));
  }
  return places;
}

/** The masters as before a reshard: the last one still has the slots that are on the first by now. */
async function beforeReshard(): Promise<PerServer<RedisTarget>> {
  const { masters } = await admit(cluster);
  const [first, second, third] = masters;
  if (!second || !third) throw new Error('there are not three masters');
  const { slots = [] } = third;
  return [second, { ...third, slots: [...slots, ...(first.slots ?? [])] }];
}

describe('counts in a Cluster', () => {
  it('are read from the master of their key', async () => {
    const { masters } = await admit(cluster);
    const store = await session(masters);
    const places = await counts();
    expect(await Promise.all(places.map((place) => store.count(place)))).toEqual([7, 8, 9]);
  });

  it('are not read once their slot has moved, with what to do', async () => {
    const store = await session(await beforeReshard());
    const [place] = (await counts()) as [CountPlace];
    await expect(store.count(place)).rejects.toThrow(/redis-2 .*GET: MOVED .*run again/);
  });
});

/** Counts and faults by key and by server, on a real Redis Cluster of three masters and a replica. */
import type { CountPlace } from '@chaosdemo/redis-faults';
import { Cluster } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { unlinkCounts } from '../../../packages/redis-faults/src/faults/data-loss/unlink-counts.ts';
import { keepingTime, withoutRealTime } from '../../kit/pace.ts';
import { supervisorOfFile } from '../../kit/supervisor.ts';
import { until } from '../../kit/until.ts';
import { admit, drivenOn, LIMIT, session } from './support/clustered-run.ts';
import { RedisCluster } from './support/redis-cluster.ts';

const supervisor = supervisorOfFile();
let cluster: RedisCluster;
beforeAll(async () => {
  cluster = await RedisCluster.start(supervisor, 3, 1);
});
afterAll(() => cluster?.close());

/** A count of 7, 8 or 9 on each master. */
async function counts(): Promise<CountPlace[]> {
  const places: CountPlace[] = [];
  for (const [node, key] of (await cluster.keys()).entries()) {
    places.push({ key: `rl:demo-{${key}}`, type: 'String', pattern: 'rl:demo-*' });
    await cluster.call(node, 'SET', `rl:demo-{${key}}`, String(7 + node));
  }
  return places;
}

/** Places of so many callers. */
function placesOf(count: number): CountPlace[] {
  return Array.from({ length: count }, (_, i) => ({
    key: `rl:demo-${i}`,
    type: 'String',
    pattern: 'rl:demo-*',
  }));
}

/** A client of the Cluster with every right. */
function clusterClient(): Cluster {
  const client = new Cluster(cluster.pods().map(({ host, port }) => ({ host, port })));
  onTestFinished(() => client.disconnect());
  return client;
}

it('counts in a Cluster are read from the master of their key', async () => {
  const { masters } = await admit(cluster);
  const store = await session(masters);
  const places = await counts();
  expect(await Promise.all(places.map((place) => store.count(place)))).toEqual([7, 8, 9]);
});

describe('a loss in a Cluster', () => {
  const unlinked = async () => await cluster.calls('unlink');
  const scriptOf = async (node: number) => String(await cluster.call(node, 'SCRIPT', 'LOAD', 'return 1'));

  it('removes counts of several slots on each master, and scripts of all', async () => {
    const { masters } = await admit(cluster);
    const store = await session(masters);
    const places = placesOf(11);
    const limiter = clusterClient();
    await Promise.all(places.map(({ key }, i) => limiter.set(key, i + 1)));
    await limiter.set('rl:demo-other', 1);
    const scripts = await Promise.all([0, 1, 2].map(scriptOf));
    const before = await unlinked();

    await unlinkCounts(store, places, true);
    expect(await unlinked()).toEqual(before);
    const seen = await unlinkCounts(store, places, true, () => undefined);
    expect(seen.map(({ name }) => name)).toEqual(store.servers.map(({ name }) => name));
    const lost = seen.flatMap((loss) => loss.lost);
    expect(lost.map((count) => count.before).toSorted((a, b) => a - b)).toEqual(places.map((_, i) => i + 1));
    expect(lost.every(({ after }) => after === 0)).toBe(true);
    // A transaction for each key, since no two of them are in one slot.
    const after = await unlinked();
    expect(after.map((count, node) => count - (before[node] ?? 0))).toEqual(
      seen.map((loss) => loss.lost.length),
    );
    expect(Math.min(...seen.map((loss) => loss.lost.length))).toBeGreaterThan(1);
    expect(await Promise.all(places.map(({ key }) => limiter.exists(key)))).toEqual(places.map(() => 0));
    expect(await limiter.exists('rl:demo-other')).toBe(1);
    for (const [node, script] of scripts.entries()) {
      expect(await cluster.call(node, 'SCRIPT', 'EXISTS', script)).toEqual([0]);
    }
  });
});

describe.skipIf(withoutRealTime)('a limiter on a Cluster', () => {
  it('fails closed if its connections to all masters break, and recovers', (context) =>
    keepingTime(async () => {
      const { driver, key } = await drivenOn(cluster, { type: 'Disconnect', duration: '4s' });
      const kills = await cluster.calls('client|kill');
      const leading = driver.leadThrough('outage', key, 4000);
      leading.catch(() => undefined);
      await until(() => driver.observed.faults['f']?.startedAt, { what: 'the fault', deadlineMs: 60_000 });
      expect(await cluster.takesWrites()).toEqual([false, false, false]);
      const reading = await leading;
      const { evidence = [], message, proof } = driver.observed.faults['f'] ?? {};
      expect({ message, proof }).toEqual({ message: expect.any(String), proof: 'Confirmed' });
      expect(evidence.join('\n')).toMatch(/\d+ connections of 2 pods ended in \d+ rounds/);
      expect(reading).toMatchObject({ shortfalls: [], summary: expect.stringMatching(/^FailsClosed/) });
      const ended = (await cluster.calls('client|kill')).map((count, node) => count - (kills[node] ?? 0));
      expect(Math.min(...ended)).toBeGreaterThan(1);
      expect(await cluster.takesWrites()).toEqual([true, true, true]);
    })(context));

  it('forgets if its counts are lost, and rejects again', (context) =>
    keepingTime(async () => {
      const { driver, key } = await drivenOn(cluster, { type: 'DataLoss', duration: '4s', scripts: true });
      const reading = await driver.leadThrough('outage', key, 4000);
      expect(driver.observed.faults['f']).toMatchObject({
        proof: 'Confirmed',
        message: expect.stringMatching(/^Redis Cluster .* lost 20 keys, .* and every script/),
      });
      expect(reading).toMatchObject({ shortfalls: [], summary: expect.stringMatching(/^Forgets/) });
      expect(reading.measures).toMatchObject({ overAdmission: LIMIT });
    })(context));
});

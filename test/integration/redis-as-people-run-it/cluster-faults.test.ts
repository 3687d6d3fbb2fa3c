/** Counts and faults by key and by server, on a real Redis Cluster of three masters and a replica. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Cluster } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { Supervisor } from '../../../src/local/supervisor.ts';
import type { RedisTarget } from '../../../src/subjects/ratelimiter/index.ts';
import type { CountPlace } from '../../../src/subjects/redis/client/count-place.ts';
import { fenceKey, NotInChargeError } from '../../../src/subjects/redis/client/fence.ts';
import { tagFor } from '../../../src/subjects/redis/client/key-slot.ts';
import type { PerServer } from '../../../src/subjects/redis/client/per-server.ts';
import { RedisClientError } from '../../../src/subjects/redis/client/redis-error.ts';
import { unlinkCounts } from '../../../src/subjects/redis/faults/data-loss/unlink-counts.ts';
import { keepingTime, withoutRealTime } from '../../kit/pace.ts';
import { until } from '../../kit/until.ts';
import { admit, drivenOn, LIMIT, session } from './support/clustered-run.ts';
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

  it('removes nothing once another session is in charge of each master', async () => {
    const { masters } = await admit(cluster);
    const store = await session(masters);
    await unlinkCounts(store, await counts(), true);
    await session(masters);
    const before = await unlinked();
    await expect(unlinkCounts(store, await counts(), true, () => undefined)).rejects.toThrow(
      NotInChargeError,
    );
    expect(await unlinked()).toEqual(before);
  });

  it('stops between two slots once another session takes charge', async () => {
    const { masters } = await admit(cluster);
    const store = await session(masters);
    const places = placesOf(300);
    const limiter = clusterClient();
    await Promise.all(places.map(({ key }) => limiter.set(key, 1)));
    let sent = 0;
    const taken: Promise<unknown>[] = [];
    const lose = unlinkCounts(store, places, false, () => {
      sent += 1;
      // Over connections that are open, so that it arrives long before the last of them.
      if (sent !== 30) return;
      for (const [node, { slots = [] }] of masters.entries()) {
        taken.push(cluster.call(node, 'SET', fenceKey(tagFor(slots)), 'another'));
      }
    });
    const error = await lose.catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(RedisClientError);
    expect(String(error)).toMatch(/after UNLINK of \d+ of \d+ keys: .* taken this Redis over/);
    await Promise.all(taken);
    const exist = await Promise.all(places.map(({ key }) => limiter.exists(key)));
    const left = exist.reduce((sum, one) => sum + one, 0);
    expect(left).toBeGreaterThan(0);
    expect(left).toBeLessThanOrEqual(places.length - 27);
    await Promise.all(places.map(({ key }) => limiter.del(key)));
  });

  it('removes nothing of a slot that has moved', async () => {
    const store = await session(await beforeReshard());
    const [place] = (await counts()) as [CountPlace];
    const before = await unlinked();
    await expect(unlinkCounts(store, [place], false, () => undefined)).rejects.toThrow(
      /redis-2 .*UNLINK: MOVED .*run again/,
    );
    expect(await unlinked()).toEqual(before);
  });
});

/** How long writes of a stranger to this master take, one after the other; milliseconds. */
async function writes(key: string, node: number, count: number): Promise<number[]> {
  const took: number[] = [];
  for (let i = 0; i < count; i += 1) {
    const sentAt = performance.now();
    await cluster.call(node, 'SET', key, '1');
    took.push(performance.now() - sentAt);
  }
  return took;
}

const medianOf = (all: readonly number[]): number =>
  all.toSorted((a, b) => a - b)[Math.floor(all.length / 2)] ?? Number.NaN;

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

  it('enforces its limit if writes to all masters are slow', (context) =>
    keepingTime(async () => {
      const { driver, key } = await drivenOn(
        cluster,
        { type: 'Latency', duration: '4s', latency: '300ms' },
        { givesUpMs: 900 },
      );
      const leading = driver.leadThrough('outage', key, 4000);
      leading.catch(() => undefined);
      await until(() => driver.observed.faults['f']?.startedAt, { what: 'the fault', deadlineMs: 60_000 });
      const took = await Promise.all(
        (await cluster.keys()).map(async (stranger, node) => await writes(stranger, node, 6)),
      );
      const reading = await leading;
      const { message, proof } = driver.observed.faults['f'] ?? {};
      expect({ message, proof }).toEqual({ message: expect.any(String), proof: 'Confirmed' });
      for (const median of took.map(medianOf)) expect(median).toBeGreaterThan(130);
      expect(reading).toMatchObject({ shortfalls: [], summary: expect.stringMatching(/^Enforces/) });
    })(context));

  it('has no more pauses of any master after the process that slowed them is gone', (context) =>
    keepingTime(async () => {
      const { driver, key } = await drivenOn(cluster, { type: 'Latency', duration: '20s', latency: '500ms' });
      await driver.prepare('outage', key);
      expect(await driver.inject('outage', key, 20_000)).toMatchObject({ proof: 'Confirmed' });
      await sleep(1000);
      await driver.close();
      // 1.5 times the latency, and a turn of the timer.
      await sleep(850);
      const pauses = await cluster.calls('client|pause');
      const keys = await cluster.keys();
      await Promise.all(keys.map(async (stranger, node) => await writes(stranger, node, 20)));
      expect(await cluster.calls('client|pause')).toEqual(pauses);
    })(context));

  it('forgets if its counts are lost, and rejects again', (context) =>
    keepingTime(async () => {
      const { driver, key } = await drivenOn(cluster, { type: 'DataLoss', duration: '4s', scripts: true });
      const reading = await driver.leadThrough('outage', key, 4000);
      expect(driver.observed.faults['f']).toMatchObject({
        proof: 'Confirmed',
        message: expect.stringMatching(/^Redis Cluster .* lost 11 counts, .* and every script/),
      });
      expect(reading).toMatchObject({ shortfalls: [], summary: expect.stringMatching(/^Forgets/) });
      expect(reading.measures).toContainEqual(
        expect.objectContaining({ name: 'overAdmission', value: LIMIT }),
      );
    })(context));
});

// Last: the Cluster is another one from here on.
it('a loss does not happen if slots moved since its preparation', async () => {
  const { driver, key } = await drivenOn(cluster, { type: 'DataLoss', duration: '20s' });
  await driver.prepare('outage', key);
  const before = await cluster.calls('unlink');
  const to = String(await cluster.call(1, 'CLUSTER', 'MYID'));
  for (const node of [1, 0, 2]) await cluster.call(node, 'CLUSTER', 'SETSLOT', '0', 'NODE', to);
  await until(async () => await admit(cluster).catch(() => undefined), { what: 'the nodes to agree' });
  expect(await driver.inject('outage', key, 20_000)).toMatchObject({
    missed: true,
    message: expect.stringMatching(/was restarted since the run began, failed over or was resharded/),
  });
  expect(await cluster.calls('unlink')).toEqual(before);
});

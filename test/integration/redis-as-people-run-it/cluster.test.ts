/** Faults of a real Redis Cluster of three masters and a replica: all masters are paused at once, or none is. */
import { asPerServer, RedisRefusal, type RedisTarget, type StoreConnections } from '@chaosdemo/redis-faults';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fenceKey, NotInChargeError } from '../../../packages/redis-faults/src/client/fence.ts';
import { tagFor } from '../../../packages/redis-faults/src/client/key-slot.ts';
import { keepingTime, withoutRealTime } from '../../kit/pace.ts';
import { supervisorOfFile } from '../../kit/supervisor.ts';
import { until } from '../../kit/until.ts';
import { clusteredPod } from './support/clustered-pod.ts';
import { admit, drivenOn, LIMIT, session } from './support/clustered-run.ts';
import { RedisCluster } from './support/redis-cluster.ts';

/** Twice the time after which a silent node is taken for failed. */
const FAULT_MS = 4000;
const IDENTITY = /^[0-9a-f]{40}$/;

const supervisor = supervisorOfFile();
let cluster: RedisCluster;
beforeAll(async () => {
  cluster = await RedisCluster.start(supervisor, 3, 1);
});
afterAll(() => cluster?.close());

async function refusalOf(redis: readonly RedisTarget[]): Promise<string> {
  const outcome = await admit(cluster, asPerServer(redis)).catch((error: unknown) => error);
  if (!(outcome instanceof RedisRefusal)) throw new Error(`it was not refused: ${String(outcome)}`);
  return `${outcome.reason}: ${outcome.message}`;
}

/** Sends a pause of a minute. */
async function sent(store: StoreConnections) {
  return await store.pauseWrites(() => 60_000);
}

/** A driver of a Stall, and a key for it. */
const driven = async (ms = FAULT_MS) => await drivenOn(cluster, { type: 'Stall', duration: `${ms}ms` });

const ALL = [true, true, true];

describe('a Redis Cluster', () => {
  it('is admitted with its masters, each with keys in its own slots', async () => {
    const { layout, masters, runId } = await admit(cluster);
    expect(runId).toMatch(IDENTITY);
    expect(masters.map(({ podName }) => podName)).toEqual(['redis-0', 'redis-1', 'redis-2']);
    expect(new Set(masters.map((master) => master.runId)).size).toBe(3);
    const store = await session(masters);
    await expect(store.read()).resolves.toBeGreaterThan(0);
    const again = await admit(cluster);
    expect({ layout: again.layout, runId: again.runId }).toEqual({ layout, runId });
    expect(store.name).toBe('Redis Cluster (redis-0, redis-1 and redis-2)');
    for (const [node, { slots = [] }] of masters.entries()) {
      const slot = await cluster.call(node, 'CLUSTER', 'KEYSLOT', fenceKey(tagFor(slots)));
      expect(await cluster.call(node, 'CLUSTER', 'COUNTKEYSINSLOT', String(slot))).toBeGreaterThan(0);
    }
  });

  it('is refused if the Service selects only some of its masters, or only one', async () => {
    for (const nodes of [[0, 1, 3], [2], [3]]) {
      const pods = cluster.pods().filter((_, node) => nodes.includes(node));
      expect(await refusalOf(pods)).toMatch(
        /^RedisNotEligible: primary \w{8} .*at an address that no Ready pod/,
      );
    }
  });

  it('is refused if a stranger uses one of its masters', async () => {
    const stranger = await clusteredPod('stranger', '127.0.0.99', cluster.pods(), LIMIT);
    await fetch(`http://${stranger.host}:${stranger.port}/`, {
      headers: { 'x-caller': 'x' },
      signal: AbortSignal.timeout(5000),
    });
    expect(await refusalOf(cluster.pods())).toMatch(/^SharedRedis: .*127\.0\.0\.99/);
  });
});

it('a session with a Cluster fences its predecessor on each master', async () => {
  const { masters } = await admit(cluster);
  const before = await cluster.calls('client|pause');
  const predecessor = await session(masters);
  await predecessor.warmUp();
  await session(masters);
  await expect(sent(predecessor)).rejects.toThrow(NotInChargeError);
  expect(await cluster.calls('client|pause')).toEqual(before);
  expect(await cluster.takesWrites()).toEqual(ALL);
});

describe.skipIf(withoutRealTime)('a Stall of a Cluster', () => {
  it('is proven on each master, ends in time, and no node fails over', (context) =>
    keepingTime(async () => {
      const { driver, key } = await driven();
      const roles = async () => (await cluster.call(0, 'CLUSTER', 'NODES')) as string;
      const layoutBefore = (await admit(cluster)).layout;
      const leading = driver.leadThrough('outage', key, FAULT_MS);
      leading.catch(() => undefined);
      await until(() => driver.observed.faults['f']?.startedAt, { what: 'the fault', deadlineMs: 60_000 });
      expect(await cluster.takesWrites()).toEqual([false, false, false]);
      expect(await roles()).not.toMatch(/fail/);
      const reading = await leading;
      expect(driver.observed.faults['f']).toMatchObject({
        proof: 'Confirmed',
        message: expect.stringContaining('Redis Cluster (redis-0, redis-1 and redis-2)'),
      });
      const { endedAt = 0, evidence } = driver.observed.faults['f'] ?? {};
      expect(endedAt).toBeGreaterThan(0);
      expect(evidence?.join('\n')).toMatch(/accepted again \d{1,3} ms after the planned end/);
      expect(reading).toMatchObject({ summary: expect.stringMatching(/^FailsClosed/), shortfalls: [] });
      expect((await admit(cluster)).layout).toBe(layoutBefore);
      expect(await roles()).not.toMatch(/fail/);
    })(context));

  // Last: the Cluster is another one from here on.
  it('is not injected if slots moved or a master joined since its preparation', (context) =>
    keepingTime(async () => {
      const before = await cluster.calls('client|pause');
      const { driver: resharded, key } = await driven();
      await resharded.prepare('outage', key);
      const [to, from] = [String(await cluster.call(1, 'CLUSTER', 'MYID')), '0'];
      await cluster.call(0, 'CLUSTER', 'SETSLOT', from, 'MIGRATING', to);
      expect(await refusalOf(cluster.pods())).toMatch(/slots move to or from primary/);
      expect(await resharded.inject('outage', FAULT_MS)).toMatchObject({
        missed: true,
        message: expect.stringMatching(/slots move to or from primary/),
      });
      await cluster.call(0, 'CLUSTER', 'SETSLOT', from, 'STABLE');
      for (const node of [1, 0, 2]) await cluster.call(node, 'CLUSTER', 'SETSLOT', from, 'NODE', to);
      await until(async () => await admit(cluster).catch(() => undefined), { what: 'the nodes to agree' });
      expect(await resharded.inject('outage', FAULT_MS)).toMatchObject({
        missed: true,
        message: expect.stringMatching(/was restarted since the run began, failed over or was resharded/),
      });

      const { driver: joined, key: other } = await driven();
      await joined.prepare('outage', other);
      const fourth = await cluster.addNode();
      await cluster.meet(fourth);
      await until(async () => (await refusalOf(cluster.pods())).includes('without slots'), {
        what: 'it to join',
      });
      expect(await joined.inject('outage', FAULT_MS)).toMatchObject({
        missed: true,
        message: expect.stringMatching(/reports primary \w{8} without slots/),
      });
      expect(await cluster.calls('client|pause')).toEqual(before);
    })(context));
});

/** A failover of every primary of a real Redis Cluster, and what prevents it. */
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { permitAnd } from '../../kit/driven-limiter.ts';
import { keepingTime, withoutRealTime } from '../../kit/pace.ts';
import { supervisorOfFile } from '../../kit/supervisor.ts';
import { until } from '../../kit/until.ts';
import { admit, drivenOn } from './support/clustered-run.ts';
import { RedisCluster } from './support/redis-cluster.ts';

const MASTERS = 3;
const FAULT_MS = 4000;

const supervisor = supervisorOfFile();
let cluster: RedisCluster;
beforeAll(async () => {
  cluster = await RedisCluster.start(supervisor, MASTERS, MASTERS);
});
afterAll(() => cluster?.close());

/** A driver of a failover, whose pods count in the Cluster and follow it; and a key. */
async function driven(): ReturnType<typeof drivenOn> {
  const fault = { type: 'Failover', duration: `${FAULT_MS}ms` };
  return await drivenOn(cluster, fault, { accept: ['Enforces'], failsOver: true });
}

/** The nodes that report to be primaries now. */
async function primaries(): Promise<number[]> {
  const roles = await Promise.all(cluster.nodes.map((_, node) => cluster.call(node, 'ROLE')));
  return roles.flatMap((role, node) => ((role as [string])[0] === 'master' ? [node] : []));
}

it('the admission of a failover of a Cluster finds a replica of each primary', async () => {
  const { masters } = await admit(cluster, cluster.pods(), true);
  expect(masters.map(({ replica }) => replica?.podName)).toEqual(['redis-3', 'redis-4', 'redis-5']);
});

describe.skipIf(withoutRealTime)('a failover of a Cluster', () => {
  it('swaps each primary with its replica, and loses no counts', (context) =>
    keepingTime(async () => {
      const { driver, key } = await driven();
      const { ids, runId } = await admit(cluster, cluster.pods(), true);
      const before = await primaries();
      const reading = await driver.leadThrough('outage', key, FAULT_MS);
      expect(driver.observed.faults['f']).toMatchObject({ proof: 'Confirmed', endedAt: expect.any(Number) });
      expect(reading.shortfalls).toEqual([]);
      // Counts that were lost would let callers have more than their limit.
      expect(reading.measures).toMatchObject({ overAdmission: 0 });
      const after = await primaries();
      expect(after).toHaveLength(MASTERS);
      expect(after.filter((node) => before.includes(node))).toEqual([]);
      await cluster.untilAgreed();
      // A run that follows finds the cool-down of the store by this.
      const swapped = await admit(cluster);
      expect(swapped.ids.rest).toEqual(ids.rest);
      expect([swapped.ids.lock, swapped.runId]).not.toContain(ids.lock);
      expect(swapped.runId).not.toBe(runId);
    })(context));

  it('continues with the primaries there are if one replica does not take over', (context) =>
    keepingTime(async () => {
      const { driver, key } = await driven();
      await driver.prepare('outage', key);
      const { masters } = await admit(cluster, cluster.pods(), true);
      const last = masters[2]?.replica?.podName ?? '';
      const node = Number(last.split('-')[1]);
      const stopped = cluster.nodes[node]?.pid ?? 0;
      let consulted = 0;
      // It is consulted for each claim and each command, the last one of which this replica does not answer.
      const permit = permitAnd(() => {
        consulted += 1;
        if (consulted === 2 * MASTERS) process.kill(stopped, 'SIGSTOP');
      });
      onTestFinished(() => void process.kill(stopped, 'SIGCONT'));
      const report = await driver.inject('outage', FAULT_MS, permit);
      process.kill(stopped, 'SIGCONT');
      expect(report).toMatchObject({ proof: 'Inconclusive', startedAt: expect.any(Number) });
      expect(report?.message).toContain(`${last} `);
      await until(async () => (await cluster.takesWrites()).every(Boolean), { what: 'writes' });
      const restored = await driver.perform({ kind: 'Restore', id: 'r', fixtures: [key], release: true });
      expect(JSON.stringify(restored)).toMatch(/a real write was accepted/);
    })(context));
});

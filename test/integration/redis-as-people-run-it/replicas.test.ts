/** Faults of a real master with two replicas: replication does not notice them. */
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { rows } from '../../kit/nightly.ts';
import { keepingTime, withoutRealTime } from '../../kit/pace.ts';
import { supervisorOfFile } from '../../kit/supervisor.ts';
import { PODS, Replicated } from './support/topology.ts';

/** Longer than the timeout of replication. */
const FAULT_MS = 4000;

const supervisor = supervisorOfFile();
let servers: Replicated;
beforeAll(async () => {
  // One replica is in a selected pod, whose connections a Disconnect ends, and one is elsewhere.
  servers = await Replicated.start(supervisor, [PODS[0], '127.0.0.71']);
});
afterAll(() => servers?.close());

/** What {@link Replicated.links} gives every 50 ms until the test ends; each outcome once. */
function linksSeen(): ReadonlySet<string> {
  const seen = new Set<string>();
  const timer = setInterval(() => {
    void servers.links().then(
      (links) => links.forEach((link) => seen.add(link)),
      (error: unknown) => seen.add(String(error)),
    );
  }, 50);
  onTestFinished(() => clearInterval(timer));
  return seen;
}

describe('a master with two replicas', () => {
  it('is admitted, and each replica is not', async () => {
    expect(await servers.replication()).toMatchObject({ replicas: '2' });
    expect(await servers.admission()).toMatch(/^[0-9a-f]{40}$/);
    for (const replica of servers.replicas) {
      expect(await servers.admission(servers.target(replica))).toMatch(/^RedisNotEligible: .*is a replica/);
    }
  });

  it.skipIf(withoutRealTime).for(rows(['Stall', 'Disconnect'] as const))(
    'keeps its role and its replicas during a %s',
    (type, context) =>
      keepingTime(async () => {
        const before = await servers.replication();
        expect(before.roles).toEqual(['master', 'slave', 'slave']);
        const { driver, key } = await servers.driven(type, FAULT_MS);
        const seen = linksSeen();
        await driver.leadThrough('outage', key, FAULT_MS);
        const report = driver.observed.faults['f'];
        expect(report).toMatchObject({ proof: 'Confirmed', endedAt: expect.any(Number) });
        expect([...seen]).toEqual(['up']);
        expect(await servers.replication()).toEqual(before);
        const [master] = servers.observers;
        await master?.set('after', type);
        expect(await master?.wait(2, 5000)).toBe(2);
      })(context),
  );
});

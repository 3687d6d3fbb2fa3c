import type { KubeApi, KubeClient, Lease } from '@chaosdemo/kube-runtime';
import { LeaderElector, LeaseLock, resourcePath } from '@chaosdemo/kube-runtime';
import { describe, expect, it, onTestFinished } from 'vitest';
import { connectAsAdmin, createNamespace } from '../kit/control-plane.ts';
import { until } from '../kit/until.ts';

const silent = { debug() {}, info() {}, warn() {}, error() {} };
const leases = { group: 'coordination.k8s.io', version: 'v1', plural: 'leases' };

function connect(): KubeClient {
  const client = connectAsAdmin();
  onTestFinished(() => client.close());
  return client;
}

/** A lock whose clocks only a test advances; the wall clock is an hour off, which must not matter. */
function lockFor(client: KubeApi, namespace: string, identity: string) {
  const time = { now: 1000, skew: identity === 'a' ? 0 : -3_600_000 };
  const clocks = { monotonic: () => time.now, wall: () => Date.UTC(2030, 0, 1) + time.now + time.skew };
  const durations = { leaseDurationMs: 15_000, freshMs: 10_000 };
  const lock = new LeaseLock({ client, namespace, name: 'l', identity, clocks, ...durations });
  return { lock, time, attempt: () => lock.acquireOrRenew(10_000) };
}

const readLease = (client: KubeApi, namespace: string): Promise<Lease> =>
  client.request<Lease>({ method: 'GET', path: resourcePath(leases, { namespace, name: 'l' }) });

describe('LeaseLock', () => {
  it('a lease has one holder, and is taken over only if unchanged for its duration', async () => {
    const client = connect();
    const namespace = await createNamespace(client);
    const a = lockFor(client, namespace, 'a');
    const b = lockFor(client, namespace, 'b');
    expect(await a.attempt()).toEqual({ held: true });
    expect(a.lock.isFresh()).toBe(true);
    expect(a.lock.freshUntil).toBe(11_000);
    expect(await b.attempt()).toEqual({ held: false, holder: 'a' });

    // A renewal in between starts the wait again.
    b.time.now += 14_000;
    a.time.now += 5_000;
    expect(await a.attempt()).toEqual({ held: true });
    expect(a.lock.freshUntil).toBe(16_000);
    expect(await b.attempt()).toEqual({ held: false, holder: 'a' });
    b.time.now += 14_999;
    expect(await b.attempt()).toEqual({ held: false, holder: 'a' });
    b.time.now += 1;
    expect(await b.attempt()).toEqual({ held: true });

    const { spec } = await readLease(client, namespace);
    expect(spec).toMatchObject({ holderIdentity: 'b', leaseDurationSeconds: 15, leaseTransitions: 1 });
    // The first one never relied on it so long, and notices at its next attempt.
    a.time.now += 10_000;
    expect(a.lock.isFresh()).toBe(false);
    expect(await a.attempt()).toEqual({ held: false, holder: 'b' });
    expect(a.lock.freshUntil).toBe(-Infinity);
  });

  it('is taken by exactly one of many that try at once', async () => {
    const client = connect();
    const namespace = await createNamespace(client);
    const locks = ['a', 'b', 'c', 'd', 'e'].map((identity) => lockFor(client, namespace, identity));
    for (let round = 0; round < 3; round++) {
      const attempts = await Promise.all(locks.map(({ attempt }) => attempt()));
      expect(attempts.filter(({ held }) => held)).toHaveLength(1);
      await Promise.all(locks.map(({ lock }) => lock.release(10_000)));
    }
  });
});

describe('LeaderElector with a real API server', () => {
  /** Notes every start of a term, and any other leader at that moment: there must be none. */
  function election(namespace: string) {
    const electors: { identity: string; elector: LeaderElector }[] = [];
    const log: string[] = [];
    const overlaps: string[] = [];
    const join = (identity: string) => {
      const client = connect();
      const stop = new AbortController();
      const elector: LeaderElector = new LeaderElector({
        client,
        namespace,
        name: 'leader',
        identity,
        logger: silent,
        onStartedLeading() {
          log.push(`${identity} started`);
          for (const other of electors) {
            if (other.elector !== elector && other.elector.isLeader())
              overlaps.push(`${identity} with ${other.identity}`);
          }
        },
        onStoppedLeading: () => log.push(`${identity} stopped`),
      });
      electors.push({ identity, elector });
      const run = elector.run(stop.signal);
      onTestFinished(async () => {
        stop.abort(new Error('stop'));
        await run;
      });
      return { elector, client };
    };
    const path = resourcePath(leases, { namespace, name: 'leader' });
    const admin = connect();
    const holder = async (): Promise<string | undefined> =>
      (await admin.request<Lease>({ method: 'GET', path })).spec?.holderIdentity;
    return { holder, join, log, overlaps };
  }

  const patient = { deadlineMs: 90_000, everyMs: 10 };

  it('hands over when the leader is cut off, which leads no more by then', async () => {
    const { holder, join, log, overlaps } = election(await createNamespace(connect()));
    const first = join('first');
    await until(() => first.elector.isLeader(), { what: 'the first to lead', ...patient });
    await first.client.close();
    const second = join('second');
    await until(() => second.elector.isLeader(), { what: 'the second to lead', ...patient });
    expect(first.elector.isLeader()).toBe(false);
    expect(await holder()).toBe('second');
    expect(overlaps).toEqual([]);
    await until(() => log.includes('first stopped'), { what: 'the first to stop', ...patient });
  });
});

import type { KubeApi, Lease } from '@chaosdemo/kube-runtime';
import { LEASES, LeaseLock, resourcePath } from '@chaosdemo/kube-runtime';
import { describe, expect, it } from 'vitest';
import { createNamespace } from '../kit/control-plane.ts';
import { adminClient } from '../kit/operator-account.ts';

/** A lock whose clocks only a test advances; the wall clock is an hour off, which must not matter. */
function lockFor(client: KubeApi, namespace: string, identity: string) {
  const time = { now: 1000, skew: identity === 'a' ? 0 : -3_600_000 };
  const clocks = { monotonic: () => time.now, wall: () => Date.UTC(2030, 0, 1) + time.now + time.skew };
  const durations = { leaseDurationMs: 15_000, freshMs: 10_000 };
  const lock = new LeaseLock({ client, namespace, name: 'l', identity, clocks, ...durations });
  return { lock, time, attempt: () => lock.acquireOrRenew(10_000) };
}

const readLease = (client: KubeApi, namespace: string): Promise<Lease> =>
  client.request<Lease>({ method: 'GET', path: resourcePath(LEASES, { namespace, name: 'l' }) });

describe('LeaseLock', () => {
  it('a lease has one holder, and is taken over only if unchanged for its duration', async () => {
    const client = adminClient();
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
    const client = adminClient();
    const namespace = await createNamespace(client);
    const locks = ['a', 'b', 'c', 'd', 'e'].map((identity) => lockFor(client, namespace, identity));
    for (let round = 0; round < 3; round++) {
      const attempts = await Promise.all(locks.map(({ attempt }) => attempt()));
      expect(attempts.filter(({ held }) => held)).toHaveLength(1);
      await Promise.all(locks.map(({ lock }) => lock.release(10_000)));
    }
  });
});

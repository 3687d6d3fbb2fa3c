/** One run at a time on one target, kept apart by a Lease on a real API server with the rights that ship. */
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { type KubeClient } from '@chaosdemo/kube-runtime';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { createKubeCluster } from '../../src/operator/adapters/kube-cluster.ts';
import { createSystemClock } from '../../src/operator/adapters/system-clock.ts';
import { createLogger } from '../../src/operator/log.ts';
import type { ClusterLease } from '../../src/subjects/cluster.ts';
import { ForbiddenError } from '../../src/subjects/cluster.ts';
import { uniqueNamespace } from '../kit/control-plane.ts';
import { adminClient, bindTarget, operatorClient } from '../kit/operator-account.ts';

const logger = createLogger({ level: 'fatal', identity: 'test' });
const { signal } = new AbortController();

let namespace: string;
let admin: KubeClient;
let operator: KubeClient;
/** Of the lease: what the subject calls its target. */
let target: string;

beforeEach(async () => {
  namespace = await uniqueNamespace('lease');
  admin = adminClient();
  operator = await operatorClient();
  target = `target-${randomBytes(20).toString('hex')}`;
});

describe('a lease of the cluster', () => {
  it('a forbidden lease is reported with the message of the API server', async () => {
    const refused = leaseOf('a').acquire(signal);
    await expect(refused).rejects.toBeInstanceOf(ForbiddenError);
    await expect(refused).rejects.toThrow(/cannot .* resource "leases"/);
  });

  it('lets one hold a target, names it to the other, and goes over on release', async () => {
    await bindTarget(namespace);
    const [first, second] = [leaseOf('a'), leaseOf('b')];
    expect(first.isHeld()).toBe(false);
    expect(await first.acquire(signal)).toEqual({ state: 'acquired' });
    expect(first.isHeld()).toBe(true);
    expect(await second.acquire(signal)).toEqual({ state: 'held', heldBy: `${namespace}/a` });
    expect(second.isHeld()).toBe(false);

    await first.release();
    expect(first.isHeld()).toBe(false);
    await expect(readLease()).rejects.toMatchObject({ status: 404 });
    expect(await second.acquire(signal)).toEqual({ state: 'acquired' });
  });

  it('stays if a process leaves it to the current leader', async () => {
    await bindTarget(namespace);
    const [former, leading] = [leaseOf('a'), leaseOf('a')];
    expect(await former.acquire(signal)).toEqual({ state: 'acquired' });
    expect(await leading.acquire(signal)).toEqual({ state: 'acquired' });
    await former.release(true);
    expect((await readLease()).spec?.holderIdentity).toBe(`${namespace}/a`);
  });

  it('is neither renewed nor deleted by a process that does not lead any more', async () => {
    await bindTarget(namespace);
    let leads = true;
    const lease = leaseOf('a', () => leads);
    expect(await lease.acquire(signal)).toEqual({ state: 'acquired' });
    leads = false;
    const before = await readLease();
    // Longer than from one renewal to the next.
    await sleep(4000);
    await lease.release();
    expect(await readLease()).toEqual(before);
  });
});

function leaseOf(demo: string, leads = () => true): ClusterLease {
  const cluster = createKubeCluster(operator, createSystemClock(), logger, leads);
  const lease = cluster.lease({ namespace, name: target, holder: `${namespace}/${demo}` });
  onTestFinished(() => lease.release());
  return lease;
}

function readLease(): Promise<{ spec: { renewTime: string; holderIdentity: string } }> {
  const path = `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases/${target}`;
  return admin.request({ method: 'GET', path });
}

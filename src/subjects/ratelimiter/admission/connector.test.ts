/** What one tenant can do to the runs of another, and to its own cool-downs. */
import { bulk, INFO, RUN_ID, serverWith } from '@chaosdemo/redis-faults/testing';
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { MemoryCluster } from '../../../../test/fixtures/subjects/cluster.ts';
import { pod } from '../../../../test/fixtures/subjects/targets/pod.ts';
import { limiterSpec, never } from '../../../../test/kit/driven-limiter.ts';
import type { AdmissionRequest } from '../../../engine/subject.ts';
import type { ClusterLease } from '../../cluster.ts';
import { noteName } from '../../redis/admission/redis-cooldown.ts';
import { subjectOf } from '../../subject.ts';
import { rateLimiterKind } from '../kind.ts';

const clock = { now: Date.now, monotonic: () => performance.now(), sleep: async () => undefined };

/** Each namespace has its own leases, as in a real cluster. */
class TwoNamespaces extends MemoryCluster {
  /** Names of all leases that were wanted. */
  readonly wanted: string[] = [];
  override lease(of: Readonly<Record<'holder' | 'name' | 'namespace', string>>): ClusterLease {
    const name = `${of.namespace}/${of.name}`;
    this.wanted.push(name);
    return super.lease({ name, holder: of.holder });
  }
}

/** The same pods in both namespaces. `runId`: that Redis reports now. */
async function world() {
  const reported = { runId: RUN_ID };
  const { host, port } = await serverWith({ INFO: () => bulk(INFO.replace(RUN_ID, reported.runId)) });
  const cluster = new TwoNamespaces();
  const limiter = pod('limiter-0', ({ metadata }) => {
    metadata.labels = { app: 'limiter' };
  });
  const redis = (name: string, app: string) =>
    pod(name, ({ metadata, spec, status }) => {
      metadata.labels = { app };
      spec.containers = [{ name: 'redis', ports: [{ name: 'redis', containerPort: port }] }];
      status.podIP = host;
    });
  cluster.podList = [limiter, redis('redis-0', 'redis'), redis('fake-0', 'fake')];
  cluster.services = ['redis', 'fake'].map((name) => ({
    metadata: { name },
    spec: { selector: { app: name }, ports: [{ port: 6379, targetPort: 'redis' }] },
  }));
  const ports = { cluster, clock, faultCooldownMs: 60_000, logger: pino({ level: 'silent' }) };
  const connector = subjectOf(rateLimiterKind).connect(ports);
  const admit = async (namespace: string, service = 'redis'): Promise<string> => {
    const spec = limiterSpec({
      selector: { matchLabels: { app: 'limiter' } },
      redis: { serviceName: service, otherClients: 'Allow' },
    });
    const first = { generation: 1, activeFaults: [], toBegin: true, mustUndo: false };
    const request: AdmissionRequest = { name: 'demo', namespace, uid: `uid-${namespace}`, spec, ...first };
    const { admission, opened } = await connector.admit(request, never);
    await opened?.lock?.release();
    await opened?.driver.close();
    return 'message' in admission ? `${admission.reason}: ${admission.message}` : admission.state;
  };
  return { admit, cluster, reported };
}

describe('the lease of a Redis', () => {
  it('blocks no run of another namespace, and shows no text there', async () => {
    const { admit, cluster } = await world();
    expect(await admit('evil')).toBe('granted');
    const [name = ''] = cluster.wanted;
    cluster.holders.set(name, 'a text of the attacker');
    expect(await admit('evil')).toMatch(/^RedisInUse: .* a text of the attacker/);
    expect(await admit('shop')).toBe('granted');
  });

  it('is not that of another Redis which reports the same run_id', async () => {
    const { admit, cluster } = await world();
    expect(await admit('shop', 'fake')).toBe('granted');
    const [name = ''] = cluster.wanted;
    cluster.holders.set(name, 'evil/demo');
    expect(await admit('shop', 'fake')).toMatch(/^RedisInUse/);
    expect(await admit('shop')).toBe('granted');
  });

  it('and its cool-down are the same after a restart', async () => {
    const { admit, cluster, reported } = await world();
    expect(await admit('shop')).toBe('granted');
    const [name = ''] = cluster.wanted;
    const id = name.split('-').at(-1) ?? '';
    reported.runId = 'f'.repeat(40);
    cluster.notes.set(noteName(id), String(Date.now() + 60_000));
    expect(await admit('shop')).toMatch(/^CoolingDown: /);
    cluster.notes.clear();
    expect(await admit('shop')).toBe('granted');
    expect(new Set(cluster.wanted)).toEqual(new Set([name]));
  });
});

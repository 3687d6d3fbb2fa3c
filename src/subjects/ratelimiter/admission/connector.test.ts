/** What one tenant can do to the runs of another, and to its own cool-downs. */
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { MemoryCluster } from '../../../../test/fixtures/subjects/cluster.ts';
import { RUN_ID, serverWith } from '../../../../test/fixtures/subjects/redis/answering-redis.ts';
import { pod } from '../../../../test/fixtures/subjects/targets/pod.ts';
import { limiterSpec, never } from '../../../../test/kit/driven-limiter.ts';
import type { AdmissionRequest } from '../../../demo/subject.ts';
import type { ClusterLease } from '../../cluster.ts';
import { rateLimiter } from '../index.ts';

const clock = { now: Date.now, monotonic: () => performance.now(), sleep: async () => undefined };

/** Each namespace has its own leases, as in a real cluster. */
class TwoNamespaces extends MemoryCluster {
  override lease({
    name,
    namespace,
    holder,
  }: {
    name: string;
    namespace: string;
    holder: string;
  }): ClusterLease {
    return super.lease({ name: `${namespace}/${name}`, holder });
  }
}

/** The same pods in both: a Redis that reports the run_id of another is all the same to an admission. */
async function world() {
  const { host, port } = await serverWith({});
  const cluster = new TwoNamespaces();
  const limiter = pod('limiter-0', ({ metadata }) => {
    metadata.labels = { app: 'limiter' };
  });
  const redis = pod('redis-0', ({ metadata, spec, status }) => {
    metadata.labels = { app: 'redis' };
    spec.containers = [{ name: 'redis', ports: [{ name: 'redis', containerPort: port }] }];
    status.podIP = host;
  });
  cluster.podList = [limiter, redis];
  cluster.services = [
    {
      metadata: { name: 'redis' },
      spec: { selector: { app: 'redis' }, ports: [{ port: 6379, targetPort: 'redis' }] },
    },
  ];
  const ports = {
    cluster,
    clock,
    faultCooldownMs: 60_000,
    logger: pino({ level: 'silent' }),
  };
  const connector = rateLimiter.connect(ports);
  const spec = limiterSpec({
    selector: { matchLabels: { app: 'limiter' } },
    redis: { service: 'redis', allowOtherClients: true },
  });
  const admit = async (namespace: string): Promise<string> => {
    const request: AdmissionRequest = {
      name: 'demo',
      namespace,
      uid: `uid-${namespace}`,
      generation: 1,
      spec,
      activeFaults: [],
      toBegin: true,
      mustUndo: false,
    };
    const { admission, opened } = await connector.admit(request, never);
    await opened?.lock?.release();
    await opened?.driver.close();
    return 'message' in admission ? `${admission.reason}: ${admission.message}` : admission.state;
  };
  return { admit, cluster };
}

describe('a Redis that claims the run_id of another', () => {
  it('blocks no run of another namespace, and shows no text there', async () => {
    const { admit, cluster } = await world();
    cluster.holders.set(`evil/chaosdemo-redis-${RUN_ID}`, 'a text of the attacker');
    expect(await admit('evil')).toMatch(/^RedisInUse: .* a text of the attacker/);
    expect(await admit('shop')).toBe('granted');
  });
});

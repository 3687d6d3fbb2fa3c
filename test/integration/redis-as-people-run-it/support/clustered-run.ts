/** A session and a driver of faults on a real Redis Cluster, as the connector opens them. Each ends with its test. */
import {
  type AdmittedRedis,
  admitRedis,
  type PerServer,
  RedisConnections,
  type RedisTarget,
  StoreConnections,
} from '@chaosdemo/redis-faults';
import { onTestFinished } from 'vitest';
import { DrivenLimiter, limiterSpec, never } from '../../../kit/driven-limiter.ts';
import { type Clustered, clusteredPod } from './clustered-pod.ts';
import type { RedisCluster } from './redis-cluster.ts';
import { PODS } from './topology.ts';

/** Of the limiter of {@link drivenOn}. */
export const LIMIT = 10;
/** So long that no run waits for its end. */
const WINDOW_S = 120;

/** The longest fault; milliseconds. */
const LONGEST_MS = 60_000;

let sessions = 0;

/** @throws {Refusal} */
export async function admit(
  cluster: RedisCluster,
  redis = cluster.pods(),
  failsOver = false,
): Promise<AdmittedRedis> {
  // The observers are at the address of the operator, as further connections of this process.
  const options = { allowOtherClients: false, longestMs: LONGEST_MS, connected: true, failsOver };
  return await admitRedis({ redis, addresses: PODS }, options, never);
}

/** The connections of a session, in charge for a minute. */
export async function session(masters: PerServer<RedisTarget>): Promise<StoreConnections> {
  const id = `cluster-${(sessions += 1)}`;
  const store = new StoreConnections(masters, (server) => new RedisConnections(server, id));
  onTestFinished(() => store.close());
  await store.takeCharge(60_000);
  return store;
}

/** A driver of an outage with this fault, and a key for it. Its pods count in the Cluster, and answer 503 without. */
export async function drivenOn(
  cluster: RedisCluster,
  fault: { readonly type: string; readonly duration: string } & Record<string, unknown>,
  {
    accept = ['FailsClosed'],
    failsOver = false,
    ...how
  }: Clustered & { accept?: string[]; failsOver?: boolean } = {},
): Promise<{ driver: DrivenLimiter; key: string }> {
  const admitted = await admit(cluster, cluster.pods(), failsOver);
  const pods = await Promise.all(
    PODS.map((address, i) =>
      clusteredPod(`api-${i}`, address, cluster.pods(), LIMIT, { windowS: WINDOW_S, ...how }),
    ),
  );
  const count = { key: 'rl:$(key)' };
  const spec = limiterSpec(
    {
      http: { headers: [{ name: 'x-caller', value: '$(key)' }] },
      limit: {
        requests: LIMIT,
        window: `${WINDOW_S}s`,
        algorithm: 'FixedWindow',
        windowStart: 'FirstRequest',
      },
      redis: { serviceName: 'redis', count, failover: failsOver ? 'Allow' : 'Forbid' },
    },
    [
      {
        name: 'outage',
        type: 'StoreOutage',
        storeOutage: {
          fault,
          callerTimeout: '1s',
          requestsPerSecond: 10,
          settle: '2s',
          accept,
        },
      },
    ],
  );
  // As the connector does before each fault.
  const checkStore = async () => {
    const { layout, runId } = await admit(cluster, cluster.pods(), failsOver);
    const isSame = layout === admitted.layout && runId === admitted.runId;
    return { state: isSame ? ('free' as const) : ('restarted' as const) };
  };
  const driver = new DrivenLimiter({ pods, redis: admitted.masters, spec, checkStore });
  onTestFinished(() => driver.close());
  return { driver, key: `demo-cluster-${process.pid}-${(sessions += 1)}` };
}

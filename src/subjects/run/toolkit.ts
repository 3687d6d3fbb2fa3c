/** The connections of one run to the pods and the Redis, shared by effects, activities and faults. */
import { randomUUID } from 'node:crypto';
import {
  FaultProxyClient,
  OwnPause,
  RedisConnections,
  type RedisTarget,
  StoreConnections,
} from '@chaosdemo/redis-faults';
import { dialTls, TLS_COST } from '../http/dial.ts';
import { PodClient } from '../http/pod-client.ts';
import type { Toolkit } from '../scenarios/tools.ts';
import { type PodsSpec, timeoutOf } from '../spec/pods-schema.ts';

/** What was found and admitted for a run, and how it is checked again. */
export interface RunParts
  extends Pick<
    Toolkit,
    'accountOf' | 'budget' | 'checkStore' | 'findStore' | 'lookAtPods' | 'now' | 'target'
  > {
  /** Whether an earlier process may have left a pause active. */
  readonly mayBePaused: boolean;
  /**
   * Whether the pod of this server still has its address, so that connections reach the server that was admitted; left
   * out: any at the address.
   */
  readonly podIsThere?: (redis: RedisTarget, signal: AbortSignal) => Promise<boolean>;
}

/**
 * A toolkit whose connections are opened on demand.
 * @param part of the spec
 * @param lifetime aborted by its owner
 */
export function openToolkit(
  parts: RunParts,
  part: PodsSpec,
  control: Toolkit['control'],
  lifetime: AbortSignal,
): Toolkit {
  const { budget, mayBePaused, now, podIsThere, target } = parts;
  const serverName = part.http?.tls?.serverName;
  const dial = serverName === undefined ? undefined : dialTls(target.http?.ca);
  const pods = target.pods.map((pod) => ({ ...pod, ...(serverName && { serverName }) }));
  const session = randomUUID();
  const redis = new StoreConnections(target.redis, (server) => {
    const isThere = podIsThere && (async (signal: AbortSignal) => await podIsThere(server, signal));
    return new RedisConnections(server, session, isThere && { runId: server.runId, podIsThere: isThere });
  });
  const { faultProxy } = target;
  return {
    ...parts,
    control,
    lifetime,
    usualWriteMs: () => control()?.baseline.writeMaxMs ?? 0,
    health: { path: part.health.path, timeoutMs: timeoutOf(part) },
    target: { ...target, pods },
    ...(dial && { dial }),
    podClients: pods.map((pod) => new PodClient(pod, now, dial, budget)),
    room: () => budget.tryAcquire(dial ? TLS_COST : 1),
    redis,
    ...(faultProxy && { proxy: new FaultProxyClient(faultProxy) }),
    ownPause: new OwnPause(mayBePaused),
  };
}

/** Ends every connection at once; a fault stays unchanged. */
export function closeToolkit({ podClients, proxy, redis }: Toolkit): void {
  redis.close();
  proxy?.close();
  for (const client of podClients) client.close();
}

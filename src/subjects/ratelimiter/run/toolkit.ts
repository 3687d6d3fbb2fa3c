/** The connections of one run to the pods and the Redis, shared by effects, activities and faults. */
import { randomUUID } from 'node:crypto';
import {
  FaultProxyClient,
  OwnPause,
  RedisConnections,
  type RedisTarget,
  StoreConnections,
} from '@chaosdemo/redis-faults';
import type { ChaosDemoSpec } from '../../../api/index.ts';
import { dialTls, TLS_COST } from '../http/dial.ts';
import { PodClient } from '../http/pod-client.ts';
import { HttpCallers } from '../interfaces/http/http-callers.ts';
import { OwnLimit } from '../interfaces/own-limit.ts';
import { limitOf } from '../spec/limit-of-spec.ts';
import { rateLimiterOf } from '../spec/schema.ts';
import type { Toolkit } from '../tools.ts';

/** A toolkit whose connections are opened on demand. The owner aborts its `lifetime`. */
export function openToolkit(
  spec: ChaosDemoSpec,
  parts: Pick<
    Toolkit,
    | 'budget'
    | 'checkStore'
    | 'control'
    | 'lookAtPods'
    | 'findStore'
    | 'lifetime'
    | 'now'
    | 'target'
    | 'usualWriteMs'
  > & {
    /** Whether an earlier process may have left a pause active. */
    readonly mayBePaused: boolean;
    /** Whether the pod that was found still has its address; left out: every server at an address is accepted. */
    readonly podIsThere?: ((redis: RedisTarget, signal: AbortSignal) => Promise<boolean>) | undefined;
  },
): Toolkit {
  const { mayBePaused, podIsThere, ...rest } = parts;
  const { budget, now } = parts;
  const limiter = rateLimiterOf(spec);
  const { http } = limiter;
  const { identity, tlsServerName: serverName } = http;
  const dial = serverName === undefined ? undefined : dialTls(parts.target.http?.ca);
  const pods = parts.target.pods.map((pod) => ({ ...pod, ...(serverName && { serverName }) }));
  const session = randomUUID();
  const redis = new StoreConnections(parts.target.redis, (server) => {
    const isThere = podIsThere && (async (signal: AbortSignal) => await podIsThere(server, signal));
    return new RedisConnections(server, session, isThere && { runId: server.runId, podIsThere: isThere });
  });
  const { faultProxy } = parts.target;
  return {
    ...rest,
    limiter,
    target: { ...parts.target, pods },
    ...(dial && { dial }),
    callers: new HttpCallers(http, parts.target.http?.headers),
    ...(identity === 'SourceAddress' && { ownLimit: new OwnLimit(limitOf(limiter), now) }),
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

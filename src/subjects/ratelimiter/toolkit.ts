/** The connections of one run to the nodes and the Redis, which effects, activities and faults share. */
import { randomUUID } from 'node:crypto';
import { type ChaosDemoSpec, parseDuration } from '../../api/index.ts';
import type { Toolkit } from './faults/fault.ts';
import { dialTls, TLS_COST } from './http/dial.ts';
import { NodeClient } from './http/node-client.ts';
import { HttpCallers } from './interfaces/http/http-callers.ts';
import { limitOf } from './interfaces/http/limit-of-spec.ts';
import { OwnLimit } from './interfaces/own-limit.ts';
import { SAMPLE_TIMEOUT_MS } from './interfaces/reference/counter-watch.ts';
import { LimiterClient } from './interfaces/reference/limiter-client.ts';
import { rateLimiterOf } from './schema.ts';
import { OwnPause } from './store/own-pause.ts';
import type { ServerIdentity } from './store/pinned-server.ts';
import { RedisConnections } from './store/redis-client.ts';

/** Connections for health, limits and counters of one node; few, since each is asked one thing at a time. */
const QUIET_CONNECTIONS = 4;
/**
 * Connections for the traffic to one node: those whose answers are waited for, at the highest rate and the longest wait.
 * A request that waited for a connection would be told as one that the node did not answer. Over all nodes traffic has no
 * more requests open than `room` lets it; the few connections that are kept between requests are not among them.
 */
const TRAFFIC_CONNECTIONS = 1000;

/** A toolkit whose connections are made when they are first needed. Its `lifetime` is its owner's to abort. */
export function openToolkit(
  spec: ChaosDemoSpec,
  parts: Pick<
    Toolkit,
    | 'target'
    | 'budget'
    | 'baseline'
    | 'usualWriteMs'
    | 'storeDoubt'
    | 'checkStore'
    | 'findMoved'
    | 'now'
    | 'lifetime'
  > & {
    /** Whether an earlier process may have left a pause on. */
    readonly mayBePaused: boolean;
    /** What every connection to Redis is held to. */
    readonly server: ServerIdentity | undefined;
  },
): Toolkit {
  const { mayBePaused, server, ...rest } = parts;
  const { nodes, redis } = parts.target;
  const { budget } = parts;
  const limiter = rateLimiterOf(spec);
  const timeoutMs = parseDuration(limiter.health.timeout);
  const open = (timeoutMs: number, connections: number): LimiterClient[] =>
    nodes.map((node) => new LimiterClient(node, timeoutMs, connections, undefined, budget));
  const { http } = limiter.interface;
  if (http) {
    const { tls } = http;
    const dial = tls && dialTls(parts.target.http?.ca);
    const asked = tls ? nodes.map((node) => ({ ...node, serverName: tls.serverName })) : nodes;
    const common = { ...rest, limiter, timeoutMs, clients: [], observers: [], loaders: [] };
    return {
      ...common,
      target: { ...parts.target, nodes: asked },
      ...(dial && { dial }),
      callers: new HttpCallers(http, parts.target.http?.headers),
      ...(http.identity === 'SourceAddress' && { ownLimit: new OwnLimit(limitOf(limiter), parts.now) }),
      askers: asked.map((node) => new NodeClient(node, TRAFFIC_CONNECTIONS, parts.now, dial, budget)),
      room: () => budget.tryAcquire(dial ? TLS_COST : 1),
      redis: new RedisConnections(redis, randomUUID(), server),
      ownPause: new OwnPause(mayBePaused),
    };
  }
  return {
    ...rest,
    askers: nodes.map((node) => new NodeClient(node, TRAFFIC_CONNECTIONS, parts.now, undefined, budget)),
    room: () => budget.tryAcquire(1),
    limiter,
    timeoutMs,
    clients: open(timeoutMs, QUIET_CONNECTIONS),
    observers: open(Math.min(timeoutMs, SAMPLE_TIMEOUT_MS), QUIET_CONNECTIONS),
    loaders: open(timeoutMs, TRAFFIC_CONNECTIONS),
    redis: new RedisConnections(redis, randomUUID(), server),
    ownPause: new OwnPause(mayBePaused),
  };
}

/** Ends every connection at once; a fault stays as it is. */
export async function closeToolkit({ askers, clients, loaders, observers, redis }: Toolkit): Promise<void> {
  redis.close();
  for (const asker of askers) asker.close();
  await Promise.all([...clients, ...observers, ...loaders].map(async (client) => await client.close()));
}

/**
 * Whether the Redis that discovery found may be paused: it answers, accepts the credentials, is a master that no
 * failover would replace, and only the rate limiter uses it. Uses a separate connection and closes it afterwards.
 */
import type { Redis } from 'ioredis';
import { counted, messageOf, truncate } from '../../../api/index.ts';
import { listed, Refusal, withAdvice } from '../../targets/refusal.ts';
import { adviceOnConnection } from '../client/advice.ts';
import { boundedConnection, CLIENT_LIST_BYTES } from '../client/bounded-connection.ts';
import type { FaultProxyTarget } from '../client/fault-proxy.ts';
import { allOf, each, type PerServer } from '../client/per-server.ts';
import { holdsPassword, tellable } from '../client/redacted.ts';
import { identityOf, lineageOf } from '../client/redis-info.ts';
import { type RedisTarget, redisName, type SentinelsTarget, storeName } from '../client/redis-target.ts';
import { asText, ReplyTypeError, requireOwnConnection } from '../client/reply-types.ts';
import { RedisWireError } from '../client/wire-error.ts';
import {
  type ReplicaView,
  replicaIn,
  requireClusterFailoverRight,
  requireReplicas,
} from './cluster-failover-fit.ts';
import { mastersOf, readCluster } from './cluster-nodes.ts';
import { requireFailoverRight, requireReplica, requireSettled } from './failover-fit.ts';
import { requireOwnClients } from './fault-proxy-clients.ts';
import { findStrangers, formatAddr, parseClientList, type RedisClient } from './redis-clients.ts';
import { isOfCluster, requireMaster } from './redis-topology.ts';
import { requireFound, requireNoFailover } from './sentinels.ts';

/** Limit for connecting, and for each answer. */
const STEP_TIMEOUT_MS = 3_000;

/** Clients that a message names. */
const MOST_NAMED = 3;

/** A Redis that may be paused. */
export interface AdmittedRedis {
  /** The one server, or all masters of the Cluster, each with its run_id. */
  readonly masters: PerServer<RedisTarget>;
  /**
   * Identity of these servers, 40 hexadecimal digits: the run_id of the one, which is new with every start of the
   * server, or that of the set.
   */
  readonly runId: string;
  /** Of a Cluster: changes with each address and slot of a master; else ''. */
  readonly layout: string;
  /**
   * What is known in advance of the store after a failover, 40 hexadecimal digits: the replication history, which a
   * promoted replica reports as `formerLineage`, or the identity that the replicas of a Cluster will have.
   */
  readonly lineage?: string;
  /** That of the server in whose place it was promoted. */
  readonly formerLineage?: string;
}

/**
 * Connects to all pods, reads INFO, CLIENT LIST and, of a Cluster, CLUSTER NODES, queries the Sentinels
 * and the fault proxy, and judges. Takes 17 s at most.
 *
 * @throws {Refusal} why it may not be paused; or the signal's reason if it aborts first.
 */
export async function admitRedis(
  target: RedisOfPods,
  given: AdmissionOptions,
  signal: AbortSignal,
): Promise<AdmittedRedis> {
  // A failover may have begun in a run that continues. All of it is checked again before its next fault.
  const options = given.continues ? { ...given, failsOver: false } : given;
  const views = await lookAtAll(target.redis, options, signal);
  const { layout, masters } = mastersIn(views);
  const { faultProxy, sentinels } = target;
  const admitted = each(masters, (view) => {
    const replica = replicaIn(view, views);
    return { ...view.target, runId: requireFree(view, target, options), ...(replica && { replica }) };
  });
  const runId = identityOf(admitted.map((redis) => redis.runId));
  if (faultProxy) await requireOwnClients(faultProxy, target.addresses, options);
  if (sentinels && !options.continues) {
    const primary = { name: storeName(admitted), runId };
    const watches = await requireNoFailover(sentinels, primary, options.longestMs, signal);
    if (options.failsOver) {
      requireReplica(masters[0].info, primary.name);
      await requireFailoverRight(sentinels, signal);
      requireSettled(watches, sentinels.masterName);
    }
  } else if (options.failsOver) {
    requireReplicas(admitted, layout);
    requireClusterFailoverRight(views);
  }
  const lineage = layout === '' ? lineageOf(masters[0].info) : { lineage: identityOfReplicas(admitted) };
  return { masters: admitted, runId, layout, ...lineage };
}

function identityOfReplicas(masters: PerServer<RedisTarget>): string {
  return identityOf(masters.map(({ replica, runId = '' }) => replica?.runId ?? runId));
}

/**
 * The masters among these pods, by what the pods report; one pod is one Redis. For a release: nothing else is checked.
 * @throws {Refusal} if that is not known; or the signal's reason if it aborts first.
 */
export async function findMasters(
  targets: PerServer<RedisTarget>,
  signal: AbortSignal,
): Promise<PerServer<RedisTarget>> {
  if (targets.length === 1) return targets;
  return each(
    mastersIn(await lookAtAll(targets, { allowOtherClients: true }, signal)).masters,
    ({ target }) => target,
  );
}

/** The run_id of a server that no other client uses. @throws {Refusal} */
function requireFree(view: View, { addresses, sentinels }: RedisOfPods, options: AdmissionOptions): string {
  const { clients, info, target } = view;
  const store = redisName(target);
  const { password } = target;
  const runId = requireMaster(info, store, (reply, most) => tellable(reply, most, password));
  // It goes into names and statuses as it is.
  if (holdsPassword(runId, password)) {
    throw new Refusal(
      'RedisNotEligible',
      `${store} has the password that it was sent for its run_id: see that a Redis and nothing else listens there, and change the password`,
    );
  }
  requireFound(clients, { redis: store, password, sentinels });
  if (!options.allowOtherClients) requireNoStrangers(view, addresses, options.connected ?? false);
  return runId;
}

/** @throws {Refusal} RedisNotEligible if these are neither one server nor one Cluster */
function mastersIn(views: PerServer<View>): { masters: PerServer<View>; layout: string } {
  const single = views.find(({ cluster }) => cluster === undefined);
  if (!single) return mastersOf(views);
  if (views.length === 1) return { masters: views, layout: '' };
  throw new Refusal(
    'RedisNotEligible',
    `rateLimiter.redis.service selects ${views.length} pods (${listed(views.map(({ target }) => target.podName))}), and ${redisName(single.target)} is not a node of a Redis Cluster: name a Service that selects exactly the one Redis that the rate limiter counts in, or all pods of one Cluster`,
  );
}

interface RedisOfPods {
  /** The pods behind the Service. */
  readonly redis: PerServer<RedisTarget>;
  /** IPs of the pods whose connections are expected. */
  readonly addresses: readonly string[];
  /** Those that the spec names, as they are now. */
  readonly sentinels?: SentinelsTarget | undefined;
  /** The pods connect to Redis by it. */
  readonly faultProxy?: FaultProxyTarget | undefined;
}

export interface AdmissionOptions {
  readonly allowOtherClients: boolean;
  /** The longest pause; milliseconds. */
  readonly longestMs: number;
  /** Whether a failover is to follow; default false. */
  readonly failsOver?: boolean;
  /** Whether the run has begun; default false. */
  readonly continues?: boolean;
  /** See {@link KnownClients}; default false. */
  readonly connected?: boolean;
}

/** What one pod reports. */
interface View extends ReplicaView {
  readonly clients: readonly RedisClient[];
  readonly ownAddr: string;
  /** See {@link requireClusterFailoverRight}. */
  readonly failoverAnswer?: string;
}

/** @throws {Refusal} the first in the order of names, whichever came first: a message must not change without a cause */
async function lookAtAll(
  targets: PerServer<RedisTarget>,
  options: Pick<AdmissionOptions, 'allowOtherClients' | 'failsOver'>,
  signal: AbortSignal,
): Promise<PerServer<View>> {
  try {
    return await allOf(each(targets, (target) => look(target, options, signal)));
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  }
}

async function look(
  target: RedisTarget,
  { allowOtherClients, failsOver = false }: Pick<AdmissionOptions, 'allowOtherClients' | 'failsOver'>,
  signal: AbortSignal,
): Promise<View> {
  signal.throwIfAborted();
  const connection = boundedConnection(target, {
    connectTimeout: STEP_TIMEOUT_MS,
    commandTimeout: STEP_TIMEOUT_MS,
    replyBytes: CLIENT_LIST_BYTES,
  });
  const onAbort = (): void => connection.disconnect();
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    await connection.connect();
    const { localAddress = '', localPort = 0 } = connection.stream;
    const ownAddr = formatAddr(localAddress, localPort);
    const info = asText('INFO', await connection.info());
    const clients = parseClientList(asText('CLIENT LIST', await connection.call('CLIENT', 'LIST')));
    // A list without our connection may lack others as well. If other clients are allowed, that does not matter.
    if (!allowOtherClients) requireOwnConnection('CLIENT LIST', clients, ownAddr, target.username);
    if (!isOfCluster(info)) return { target, info, clients, ownAddr };
    const nodes = asText('CLUSTER NODES', await connection.call('CLUSTER', 'NODES'));
    const view = { target, info, clients, ownAddr, cluster: readCluster(target, nodes) };
    return failsOver ? { ...view, failoverAnswer: await answerToFailover(connection) } : view;
  } catch (error) {
    if (error instanceof Refusal) throw error;
    throw unreachable(target, error);
  } finally {
    signal.removeEventListener('abort', onAbort);
    connection.disconnect();
  }
}

/** The answer to CLUSTER FAILOVER with an option that does not exist: an error, and nothing is done. */
async function answerToFailover(connection: Redis): Promise<string> {
  return String(await connection.call('CLUSTER', 'FAILOVER', 'CHAOSDEMO').catch(messageOf));
}

function requireNoStrangers(
  { clients, ownAddr, target: redis }: View,
  addresses: readonly string[],
  connected: boolean,
): void {
  const strangers = findStrangers(clients, {
    podIPs: new Set(addresses),
    ownAddr,
    connected,
    ownUser: redis.username,
  });
  if (strangers.length === 0) return;
  const names = strangers.map(({ addr, name }, i) => {
    // There may be thousands, and searching each for the password takes time.
    if (i >= MOST_NAMED) return addr;
    const from = tellable(addr, 80, redis.password);
    return name === '' ? from : `${from} "${tellable(name, 40, redis.password)}"`;
  });
  const they =
    strangers.length === 1
      ? 'a client that is neither a selected pod nor the operator uses'
      : `${counted(strangers.length, 'client')} that are neither selected pods nor the operator use`;
  throw new Refusal(
    'SharedRedis',
    `${they} ${redisName(redis)} and would be paused too: ${listed(names, MOST_NAMED)}. Give the rate limiter its own Redis, end these clients, or set rateLimiter.redis.allowOtherClients`,
  );
}

/** The error of Redis or of the connection, with what to do about it. */
function unreachable(target: RedisTarget, error: unknown): Refusal {
  const text = messageOf(error);
  if ((error instanceof RedisWireError || error instanceof ReplyTypeError) && error.advises) {
    // A late answer may be temporary; a server that breaks the protocol is no Redis that may be paused.
    const late = error instanceof RedisWireError && error.code === 'REPLY_TIMEOUT';
    return new Refusal(late ? 'RedisUnreachable' : 'RedisNotEligible', `${redisName(target)}: ${text}`);
  }
  const advice = adviceOnConnection(text, target);
  return new Refusal('RedisUnreachable', `${redisName(target)}: ${withAdvice(truncate(text, 160), advice)}`);
}

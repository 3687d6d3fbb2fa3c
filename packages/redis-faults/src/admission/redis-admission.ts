/**
 * Whether the Redis that discovery found may be paused: it answers, accepts the credentials, is a master that no
 * failover would replace, and only the rate limiter uses it. Uses a separate connection and closes it afterwards.
 */
import { createHash } from 'node:crypto';
import type { Redis } from 'ioredis';
import { formatAddr } from '../client/address.ts';
import { adviceOnConnection } from '../client/advice.ts';
import type { FaultProxyTarget } from '../client/fault-proxy.ts';
import { asPerServer, each, type PerServer } from '../client/per-server.ts';
import { RedisWireError } from '../client/redis-error.ts';
import { admissionFields, identityOf } from '../client/redis-info.ts';
import { type RedisTarget, redisName, type SentinelsTarget, settingOf } from '../client/redis-target.ts';
import { asText } from '../client/reply-types.ts';
import { readAll } from '../client/server-turns.ts';
import { counted, listed, messageOf, truncate, withAdvice } from '../text.ts';
import { fairTimeout } from '../waiting.ts';
import {
  type ReplicaView,
  replicaIn,
  requireClusterFailoverRight,
  requireReplicas,
} from './cluster-failover-fit.ts';
import { mastersOf, readCluster } from './cluster-nodes.ts';
import { requireFailoverRight, requireReplica, requireSettled } from './failover-fit.ts';
import { requireOwnClients } from './fault-proxy-clients.ts';
import {
  clientsOf,
  findStrangers,
  type KnownClients,
  parseClientList,
  type RedisClient,
} from './redis-clients.ts';
import { notEligible, orRedisRefusal, RedisRefusal } from './redis-refusal.ts';
import { isOfCluster, requireMaster } from './redis-topology.ts';
import { requireFound, requireNoFailover } from './sentinels.ts';

/** Limit for connecting, and for each answer. */
const STEP_TIMEOUT_MS = 3_000;

/** Limit for all servers, from the first connection. */
const READ_ALL_MS = 15_000;

/** A Redis that may be paused. */
export type AdmittedRedis = Awaited<ReturnType<typeof admitRedis>>;

/**
 * Connects to all pods, reads INFO, CLIENT LIST and, of a Cluster, CLUSTER NODES, queries the Sentinels
 * and the fault proxy, and judges. Takes 20 s at most once it is its turn.
 *
 * @throws {RedisRefusal} why it may not be paused; or the signal's reason if it aborts first.
 */
export async function admitRedis(target: RedisOfPods, given: AdmissionOptions, signal: AbortSignal) {
  // A failover may have begun in a run that continues. All of it is checked again before its next fault.
  const options = given.continues ? { ...given, failsOver: false } : given;
  const views = await lookAtAll(target, options, signal);
  const { layout, masters } = mastersIn(views);
  const { faultProxy, sentinels } = target;
  const admitted = each(masters, (view) => {
    if (view.runId instanceof RedisRefusal) throw view.runId;
    const replica = given.failsOver ? replicaIn(view, views) : undefined;
    return { ...view.target, runId: view.runId, ...(replica && { replica }) };
  });
  const runId = identityOf(admitted.map((redis) => redis.runId));
  const setting = settingOf(admitted[0], 'otherClients');
  if (faultProxy) await requireOwnClients(faultProxy, target.addresses, { ...options, setting });
  if (sentinels && !options.continues) {
    const primary = { ...admitted[0], runId };
    const watches = await requireNoFailover(sentinels, primary, options.longestMs, signal);
    if (options.failsOver) {
      requireReplica(masters[0].info, redisName(primary));
      await requireFailoverRight(sentinels, signal);
      requireSettled(watches, sentinels.masterName);
    }
  } else if (options.failsOver) {
    requireReplicas(admitted, layout);
    requireClusterFailoverRight(views);
  }
  // Sentinels stay when the primary changes, and all that watch it are known.
  const watching = sentinels && asPerServer(sentinels.servers);
  const idOf = (pods: readonly RedisTarget[]): string => {
    const names = [...(sentinels ? [sentinels.masterName] : []), ...pods.map(({ podName }) => podName)];
    return createHash('sha1').update(names.join('/')).digest('hex');
  };
  const rest = each(watching ?? target.redis, (pod) => idOf([pod]));
  return {
    /** The one server, or all masters of the Cluster, each with its run_id. */
    masters: admitted,
    /**
     * Identity of these servers, 40 hexadecimal digits: the run_id of the one, which is new with every start of the
     * server, or that of the set.
     */
    runId,
    /** Of a Cluster: changes with each address and slot of a master; else ''. */
    layout,
    /**
     * The store by the names of its pods, 40 hexadecimal digits; no other server can claim it by what it replies.
     * `lock`: with the same primaries, by whichever port and whichever other pods the Service selects. `rest`: one for each
     * pod, so that a store has cooled down only if all of its pods have, whichever pods have joined or left since.
     */
    ids: { lock: idOf(watching ?? admitted), rest },
  };
}

/**
 * The masters among these pods, by what the pods report; one pod is one Redis. For a release: nothing else is checked.
 * @throws {RedisRefusal} if that is not known; or the signal's reason if it aborts first.
 */
export async function findMasters(
  targets: PerServer<RedisTarget>,
  signal: AbortSignal,
): Promise<PerServer<RedisTarget>> {
  if (targets.length === 1) return targets;
  // Connected: as before a fault, only such checks are queued before it.
  const options = { allowOtherClients: true, connected: true };
  const views = await lookAtAll({ redis: targets, addresses: [] }, options, signal);
  return each(mastersIn(views).masters, ({ target }) => target);
}

/** @throws {RedisRefusal} RedisNotEligible if these are neither one server nor one Cluster */
function mastersIn(views: PerServer<View>): { masters: PerServer<View>; layout: string } {
  const single = views.find(({ cluster }) => cluster === undefined);
  if (!single) return mastersOf(views);
  if (views.length === 1) return { masters: views, layout: '' };
  throw notEligible(
    `${settingOf(single.target, 'serviceName')} selects ${views.length} pods (${listed(views.map(({ target }) => target.podName))}), and ${redisName(single.target)} is not a node of a Redis Cluster: name a Service that selects exactly the one Redis that the rate limiter counts in, or all pods of one Cluster`,
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
  /** See {@link KnownClients}; default false. If so, a fault or a release waits for the check. */
  readonly connected?: boolean;
}

type LookOptions = Pick<AdmissionOptions, 'allowOtherClients' | 'connected' | 'failsOver'>;

/** What is kept of the replies of one pod: of many pods, complete ones would take much memory. */
interface View extends ReplicaView {
  /** Or why it must not be paused, if it is a primary. */
  readonly runId: string | RedisRefusal;
  /** See {@link requireClusterFailoverRight}. */
  readonly failoverAnswer?: string;
}

/** @throws {RedisRefusal} the first in the order of names; or the reason of `signal` */
async function lookAtAll(
  store: RedisOfPods,
  options: LookOptions,
  signal: AbortSignal,
): Promise<PerServer<View>> {
  const late = new AbortController();
  const stop = AbortSignal.any([signal, late.signal]);
  let timeout: ReturnType<typeof fairTimeout> | undefined;
  const read = async (target: RedisTarget): Promise<View> => {
    // Only now: a wait for other admissions is not the time of this Redis.
    if (!timeout) {
      timeout = fairTimeout(READ_ALL_MS);
      timeout.signal.addEventListener('abort', () => late.abort());
    }
    return await look(target, store, options, stop);
  };
  try {
    return await readAll(store.redis, read, options.connected ?? false, stop);
  } catch (error) {
    signal.throwIfAborted();
    if (!stop.aborted) throw error;
    throw new RedisRefusal(
      'RedisUnreachable',
      `the ${counted(store.redis.length, 'pod')} of Redis (${listed(store.redis.map(({ podName }) => podName))}) did not all reply within ${READ_ALL_MS / 1000} s: check that Redis is not overloaded`,
    );
  } finally {
    timeout?.end();
  }
}

async function look(
  target: RedisTarget,
  store: RedisOfPods,
  options: LookOptions,
  signal: AbortSignal,
): Promise<View> {
  const { boundedConnection } = await import('../client/bounded-connection.ts');
  signal.throwIfAborted();
  const connection = boundedConnection(target, {
    connectTimeout: STEP_TIMEOUT_MS,
    commandTimeout: STEP_TIMEOUT_MS,
  });
  const onAbort = (): void => connection.disconnect();
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    await connection.connect();
    const { localAddress, localPort } = connection.stream;
    const ownAddr = formatAddr(localAddress, localPort);
    const infoText = asText('INFO', await connection.info());
    const info = admissionFields(infoText);
    const text = asText('CLIENT LIST', await connection.call('CLIENT', 'LIST'));
    // The run_id of a primary that no other client uses.
    const runId = orRedisRefusal(() => {
      // A list without our connection may lack others as well. If other clients are allowed, that does not matter.
      const clients = options.allowOtherClients
        ? parseClientList(text)
        : clientsOf({ text, ownAddr }, target.username);
      const found = requireMaster(info, redisName(target));
      requireFound(clients, target, store.sentinels);
      if (!options.allowOtherClients) {
        const known = { podIPs: new Set(store.addresses), ownAddr, connected: options.connected };
        requireNoStrangers(target, clients, { ...known, ownUser: target.username });
      }
      return found;
    });
    if (!isOfCluster(info)) return { target, info, runId };
    const nodes = asText('CLUSTER NODES', await connection.call('CLUSTER', 'NODES'));
    const view = { target, info, runId, cluster: readCluster(target, nodes) };
    return options.failsOver ? { ...view, failoverAnswer: await answerToFailover(connection) } : view;
  } catch (error) {
    if (error instanceof RedisRefusal) throw error;
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

function requireNoStrangers(redis: RedisTarget, clients: readonly RedisClient[], known: KnownClients): void {
  const strangers = findStrangers(clients, known);
  if (strangers.length === 0) return;
  const names = strangers.map(({ addr, name }) => {
    const from = truncate(addr, 80);
    return name === '' ? from : `${from} "${truncate(name, 40)}"`;
  });
  const they =
    strangers.length === 1
      ? 'a client that is neither a selected pod nor the operator uses'
      : `${counted(strangers.length, 'client')} that are neither selected pods nor the operator use`;
  throw new RedisRefusal(
    'SharedRedis',
    `${they} ${redisName(redis)} and would be paused too: ${listed(names)}. Give the rate limiter its own Redis, end these clients, or set ${settingOf(redis, 'otherClients')} to Allow`,
  );
}

/** The error of Redis or of the connection, with what to do about it. */
function unreachable(target: RedisTarget, error: unknown): RedisRefusal {
  const text = messageOf(error);
  if (error instanceof RedisWireError && error.advises) {
    // A late answer may be temporary; a server that breaks the protocol is no Redis that may be paused.
    const reason = error.isNoRedis ? 'RedisNotEligible' : 'RedisUnreachable';
    return new RedisRefusal(reason, `${redisName(target)}: ${text}`);
  }
  const advice = adviceOnConnection(text, target);
  return new RedisRefusal(
    'RedisUnreachable',
    `${redisName(target)}: ${withAdvice(truncate(text, 160), advice)}`,
  );
}

/**
 * Whether the Redis that discovery found may be paused: it answers, accepts the credentials, is a master that no
 * failover would replace, and only the rate limiter uses it. Uses a separate connection and closes it afterwards.
 */
import { counted, messageOf, truncate } from '../../../api/index.ts';
import { listed, Refusal, withAdvice } from '../../targets/refusal.ts';
import { adviceOnConnection } from '../client/advice.ts';
import { boundedConnection, CLIENT_LIST_BYTES } from '../client/bounded-connection.ts';
import type { FaultProxyTarget } from '../client/fault-proxy.ts';
import { holdsPassword, tellable } from '../client/redacted.ts';
import { type RedisTarget, redisName, type SentinelsTarget } from '../client/redis-target.ts';
import { asText, ReplyTypeError, requireOwnConnection } from '../client/reply-types.ts';
import { RedisWireError } from '../client/wire-error.ts';
import { requireOwnClients } from './fault-proxy-clients.ts';
import { findStrangers, formatAddr, parseClientList, type RedisClient } from './redis-clients.ts';
import { requireMaster } from './redis-topology.ts';
import { requireFound, requireNoFailover } from './sentinels.ts';

/** Limit for connecting, and for each answer. */
const STEP_TIMEOUT_MS = 3_000;

/** Clients that a message names. */
const MOST_NAMED = 3;

/**
 * Connects, reads INFO and CLIENT LIST, queries the Sentinels and the fault proxy, and judges. Takes 12.5 s at most.
 *
 * @returns the run_id of a Redis that may be paused: 40 hexadecimal digits, new with every start of the server
 * @throws {Refusal} why it may not; or the signal's reason if it aborts first.
 */
export async function admitRedis(
  target: RedisOfPods,
  options: AdmissionOptions,
  signal: AbortSignal,
): Promise<string> {
  const { info, clients, ownAddr } = await look(target.redis, options.allowOtherClients, signal).catch(
    (error: unknown) => {
      signal.throwIfAborted();
      throw error;
    },
  );
  const store = redisName(target.redis);
  const { password } = target.redis;
  const runId = requireMaster(info, store, (said, most) => tellable(said, most, password));
  // It goes into names and statuses as it is.
  if (holdsPassword(runId, password)) {
    throw new Refusal(
      'RedisNotEligible',
      `${store} has the password that it was sent for its run_id: see that a Redis and nothing else listens there, and change the password`,
    );
  }
  const { faultProxy, sentinels } = target;
  requireFound(clients, { redis: store, password, sentinels });
  if (!options.allowOtherClients) requireNoStrangers(target, clients, ownAddr, options.connected ?? false);
  if (faultProxy) await requireOwnClients(faultProxy, target.addresses, options);
  if (sentinels) await requireNoFailover(sentinels, { name: store, runId }, options.longestMs, signal);
  return runId;
}

interface RedisOfPods {
  readonly redis: RedisTarget;
  /** IPs of the pods whose connections are expected, that of the fault proxy included. */
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
  /** See {@link KnownClients}; default false. */
  readonly connected?: boolean;
}

async function look(
  target: RedisTarget,
  allowOtherClients: boolean,
  signal: AbortSignal,
): Promise<{ info: string; clients: RedisClient[]; ownAddr: string }> {
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
    return { info, clients, ownAddr };
  } catch (error) {
    throw unreachable(target, error);
  } finally {
    signal.removeEventListener('abort', onAbort);
    connection.disconnect();
  }
}

function requireNoStrangers(
  { addresses, redis }: RedisOfPods,
  clients: readonly RedisClient[],
  ownAddr: string,
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
  const said = messageOf(error);
  if ((error instanceof RedisWireError || error instanceof ReplyTypeError) && error.advises) {
    // A late answer may be temporary; a server that breaks the protocol is no Redis that may be paused.
    const late = error instanceof RedisWireError && error.code === 'REPLY_TIMEOUT';
    return new Refusal(late ? 'RedisUnreachable' : 'RedisNotEligible', `${redisName(target)}: ${said}`);
  }
  const advice = adviceOnConnection(said, target);
  return new Refusal('RedisUnreachable', `${redisName(target)}: ${withAdvice(truncate(said, 160), advice)}`);
}

/**
 * Whether the Redis that discovery found may be paused: it answers, takes the
 * credentials, stands alone, and nobody but the rate limiter uses it. Asks over a
 * connection of its own, which is gone when the answer is there.
 */
import { truncate } from '../api/index.ts';
import type { Admission } from '../demo/observed.ts';
import { REDIS_ACL, redisConnection } from '../subjects/ratelimiter/index.ts';
import type { RedisTarget, ResolvedTarget } from './discovery.ts';
import {
  findStrangers,
  formatAddr,
  parseClientList,
  type RedisClient,
  watchedBySentinel,
} from './redis-clients.ts';
import { requireStandalone } from './redis-topology.ts';
import { listed, Refusal } from './refusal.ts';

/** Whether Redis may be paused, and which one it is. */
export interface RedisAdmission {
  admission: Admission;
  /** There exactly when the admission is granted: 40 hexadecimal digits, new with every start of the server. */
  runId?: string;
}

/** Connecting and each answer may take so long. */
const STEP_TIMEOUT_MS = 3_000;

/**
 * Connects, reads INFO and CLIENT LIST, and judges. Takes 9 s at most.
 *
 * @throws the signal's reason if it aborts first; nothing else.
 */
export async function admitRedis(
  target: ResolvedTarget,
  options: {
    allowOtherClients: boolean;
    /** See {@link KnownClients}; default false. */
    connected?: boolean;
    signal: AbortSignal;
  },
): Promise<RedisAdmission> {
  try {
    const { info, clients, ownAddr } = await look(target, options.signal);
    const runId = requireStandalone(info, target.store);
    if (watchedBySentinel(clients)) {
      throw new Refusal(
        'RedisNotEligible',
        `a Sentinel watches ${target.store} and could take a pause for a failure: use a Redis without Sentinel`,
      );
    }
    if (!options.allowOtherClients) requireNoStrangers(target, clients, ownAddr, options.connected ?? false);
    return { admission: { state: 'granted' }, runId };
  } catch (error) {
    options.signal.throwIfAborted();
    if (error instanceof Refusal) return { admission: error.admission };
    throw error;
  }
}

async function look(
  { redis: target, store }: ResolvedTarget,
  signal: AbortSignal,
): Promise<{ info: string; clients: RedisClient[]; ownAddr: string }> {
  signal.throwIfAborted();
  const connection = redisConnection(target, {
    connectTimeout: STEP_TIMEOUT_MS,
    commandTimeout: STEP_TIMEOUT_MS,
  });
  // ioredis rejects with "Connection is closed." and tells the cause only here.
  let cause: unknown;
  connection.on('error', (error) => {
    cause = error;
  });
  const onAbort = (): void => connection.disconnect();
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    await connection.connect();
    const { localAddress = '', localPort = 0 } = connection.stream;
    const info = await connection.info();
    const clients = parseClientList(String(await connection.call('CLIENT', 'LIST')));
    return { info, clients, ownAddr: formatAddr(localAddress, localPort) };
  } catch (error) {
    // Not the error itself: ioredis hangs the whole command on it, AUTH with its password included.
    throw unreachable(target, store, cause ?? error);
  } finally {
    signal.removeEventListener('abort', onAbort);
    connection.disconnect();
  }
}

function requireNoStrangers(
  target: ResolvedTarget,
  clients: readonly RedisClient[],
  ownAddr: string,
  connected: boolean,
): void {
  const strangers = findStrangers(clients, {
    podIPs: new Set(target.addresses),
    ownAddr,
    connected,
    ownUser: target.redis.username,
  });
  if (strangers.length === 0) return;
  const names = strangers.map(({ addr, name }) => (name === '' ? addr : `${addr} "${truncate(name, 40)}"`));
  const they =
    strangers.length === 1
      ? 'a client that is neither a selected pod nor the operator uses'
      : `${strangers.length} clients that are neither selected pods nor the operator use`;
  throw new Refusal(
    'SharedRedis',
    `${they} ${target.store} and would be paused too: ${listed(names)}. Give the rate limiter a Redis of its own, end these clients, or set subject.rateLimiter.redis.allowOtherClients`,
  );
}

/** What Redis says, or what the connection failed with, and what to do about it. */
function unreachable(target: RedisTarget, store: string, error: unknown): Refusal {
  const said = error instanceof Error ? error.message : String(error);
  return new Refusal('RedisUnreachable', `${store}: ${truncate(said, 160)}; ${adviceFor(said, target)}`);
}

function adviceFor(said: string, target: RedisTarget): string {
  const who = target.username === undefined ? 'the default user' : 'the user in the Secret';
  if (said.startsWith('NOAUTH')) return 'name a Secret with the password in redis.authSecretRef';
  if (/^(WRONGPASS|ERR AUTH|ERR invalid password)/.test(said)) {
    return 'correct username and password in the Secret that redis.authSecretRef names';
  }
  if (said.startsWith('NOPERM')) return `grant ${who} the rights "${REDIS_ACL}"`;
  if (said.startsWith('LOADING')) return 'it is loading its data: run again when it is ready';
  if (/certificate|altname|self.signed/i.test(said)) {
    return `its certificate must be valid for ${target.servername ?? 'the Service'} and issued by the ca.crt of the Secret`;
  }
  if (target.tls) return 'see whether it runs, speaks TLS on this port, and no NetworkPolicy is in the way';
  return 'see whether it runs, speaks no TLS on this port (else set redis.tls), and no NetworkPolicy is in the way';
}

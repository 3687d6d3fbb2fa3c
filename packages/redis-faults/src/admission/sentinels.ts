/**
 * Whether Sentinels would take a pause of their primary for its failure. Sentinel sends a PING behind a PUBLISH, which a
 * pause of writes holds up, so both wait for at most the pause: one that is shorter than down-after-milliseconds stays
 * unnoticed. Every Sentinel is queried, because each has its own settings.
 */
import { formatDuration } from '@chaosdemo/settings/duration';
import { adviceOnConnection } from '../client/advice.ts';
import { allOf, asPerServer, each } from '../client/per-server.ts';
import { RedisWireError } from '../client/redis-error.ts';
import { type RedisTarget, redisName, type SentinelsTarget, settingOf } from '../client/redis-target.ts';
import { isInPod, readWatch, type Watch } from '../client/sentinel.ts';
import { listed, messageOf, truncate, withAdvice } from '../text.ts';
import { isSentinel, type RedisClient } from './redis-clients.ts';
import { notEligible, RedisRefusal } from './redis-refusal.ts';

/** The rights that the operator's user needs in Sentinel. */
export const SENTINEL_ACL = '-@all +sentinel|master resetchannels';

/**
 * A pause is at least this much shorter than down-after-milliseconds. Redis ends a pause up to 100 ms late, the timer of
 * Sentinel ticks every 100 ms, and a PING may wait already: see {@link MOST_PENDING_MS}.
 */
const MARGIN_MS = 500;

/** If a PING has waited longer before the pause, the pause adds to a silence that Sentinel has counted already. */
const MOST_PENDING_MS = 250;

/** The shortest pause that a spec may have, in milliseconds. */
const SHORTEST_PAUSE_MS = 1000;

/**
 * @param clients of the Redis; a Sentinel that watches it has a connection to it
 * @throws {RedisRefusal} RedisNotEligible if a Sentinel that was not found in the cluster watches
 */
export function requireFound(
  clients: readonly RedisClient[],
  redis: RedisTarget,
  sentinels: SentinelsTarget | undefined,
): void {
  const found = new Set(sentinels?.servers.map(({ host }) => host));
  const others = clients.filter((client) => isSentinel(client) && !found.has(client.ip ?? ''));
  if (others.length === 0) return;
  const advice = sentinels
    ? `Name a Service that selects all Sentinels in ${settingOf(redis, 'sentinel.serviceName')}`
    : `Set ${settingOf(redis, 'sentinel.serviceName')} and masterName, so that faults stay shorter than its down-after-milliseconds`;
  const from = [...new Set(others.map(({ addr, ip }) => truncate(ip ?? addr, 80)))];
  throw notEligible(
    `a Sentinel at ${listed(from)} watches ${redisName(redis)} and could take a pause for a failure. ${advice}`,
  );
}

/**
 * Queries all Sentinels at the same time; takes 1.5 s at most.
 *
 * @param redis the primary that is to be paused, with its run_id
 * @param longestMs the longest pause
 * @returns what each of them reports
 * @throws {RedisRefusal} RedisNotEligible if a pause could be followed by a failover, or if a Sentinel watches another
 * server; RedisUnreachable if that is unknown
 */
export async function requireNoFailover(
  { masterName, servers }: SentinelsTarget,
  redis: RedisTarget,
  longestMs: number,
  signal: AbortSignal,
): Promise<readonly Watch[]> {
  const asked = each(asPerServer(servers), (server) =>
    readWatch(server, masterName, signal).catch((error: unknown) => {
      signal.throwIfAborted();
      throw unanswered(server, masterName, error);
    }),
  );
  const watches = await allOf(asked);
  for (const watch of watches) requireHealthy(watch, masterName, redis);
  const first = watches.reduce((a, b) => (b.downAfterMs < a.downAfterMs ? b : a));
  const most = first.downAfterMs - MARGIN_MS;
  if (longestMs <= most) return watches;
  const raise = `set down-after-milliseconds to at least ${longestMs + MARGIN_MS} on all Sentinels`;
  const shorten = (): string => `set the duration of each fault to at most ${formatDuration(most)}`;
  throw notEligible(
    `Sentinel ${redisName(first.sentinel)} takes ${redisName(redis)} for failed after ${first.downAfterMs} ms without a reply (down-after-milliseconds), and a fault of ${longestMs} ms must be at least ${MARGIN_MS} ms shorter: ${most < SHORTEST_PAUSE_MS ? raise : `${shorten()}, or ${raise}`}`,
  );
}

function requireHealthy(watch: Watch, masterName: string, redis: RedisTarget): void {
  const { address, flags, pendingMs, runId, sentinel } = watch;
  const name = redisName(redis);
  if (!isInPod(watch, redis)) {
    throw notEligible(
      `Sentinel ${redisName(sentinel)} watches ${masterName} at ${address}, which is not the address of ${name}: name the Service of the primary in ${settingOf(redis, 'serviceName')}, and let Redis and Sentinel announce the IP of the pod, or its name <pod>.<service>.<namespace>.svc`,
    );
  }
  if (runId === '') {
    throw notEligible(
      `Sentinel ${redisName(sentinel)} watches ${masterName} at ${address}, and has not read its run_id since it began: wait some seconds`,
    );
  }
  if (runId !== redis.runId) {
    throw notEligible(
      `Sentinel ${redisName(sentinel)} watches ${masterName} at ${address}, and ${name} is another server or has restarted: name the Service of the primary in ${settingOf(redis, 'serviceName')}, or wait until the Sentinels agree`,
    );
  }
  if (flags !== 'master') {
    throw notEligible(
      `Sentinel ${redisName(sentinel)} reports ${masterName} as "${flags}" instead of "master", so a failover may be near: wait until it has ended`,
    );
  }
  if (pendingMs > MOST_PENDING_MS) {
    throw new RedisRefusal(
      'RedisUnreachable',
      `Sentinel ${redisName(sentinel)} has waited ${pendingMs} ms for a reply of ${name}, and a pause would add to that: check the load of both, and the network between them`,
    );
  }
}

/** The error of Sentinel or of the connection, with what to do about it. */
export function unanswered(sentinel: RedisTarget, masterName: string, error: unknown): RedisRefusal {
  const text = messageOf(error);
  const server = { setting: 'redis.sentinel', ...sentinel };
  if (error instanceof RedisWireError && error.isNoRedis) {
    return notEligible(`Sentinel ${redisName(sentinel)} is no Sentinel: ${text}`);
  }
  if (/^ERR No such master/i.test(text)) {
    return notEligible(
      `Sentinel ${redisName(sentinel)} watches no ${masterName}: write the name of sentinel monitor in ${settingOf(server, 'masterName')}`,
    );
  }
  if (/^ERR unknown command/i.test(text)) {
    return notEligible(
      `Sentinel ${redisName(sentinel)} is no Sentinel: name the Service and the port of the Sentinels in ${settingOf(server, 'serviceName')}`,
    );
  }
  const advice = text.startsWith('NOPERM')
    ? `the ACL user of Sentinel lacks a right: grant it "${SENTINEL_ACL}"`
    : adviceOnConnection(text, server);
  const message = withAdvice(truncate(text, 160), advice);
  return new RedisRefusal('RedisUnreachable', `Sentinel ${redisName(sentinel)}: ${message}`);
}

/** Whether Sentinels can be sent a failover: a replica is in sync, the last one is over, and the user may send it. */
import { randomUUID } from 'node:crypto';
import type { InfoFields } from '../client/redis-info.ts';
import { redisName, type SentinelsTarget } from '../client/redis-target.ts';
import { beginFailover, type Watch } from '../client/sentinel.ts';
import { counted, messageOf } from '../text.ts';
import { lacksFailoverRight, notEligible } from './redis-refusal.ts';
import { unanswered } from './sentinels.ts';

/** A replica acknowledges once a second, so one that acknowledged longer ago is behind; seconds. */
const MOST_LAG_S = 1;

/**
 * A Sentinel reads the roles of the servers every 10 s, and makes a replica of each that it reads twice as a primary it
 * does not watch. So it undoes a failover to the former primary if that had not become a replica before its last
 * reading (observed 20 s after the failover before). Three readings; milliseconds.
 */
const SETTLED_MS = 30_000;

/**
 * @param fields of INFO of the primary
 * @param store its name in messages
 * @throws {RedisRefusal} RedisNotEligible unless a replica is connected and acknowledges what it gets
 */
export function requireReplica(fields: InfoFields, store: string): void {
  const replicas = [...fields].flatMap(([name, replica]) => (/^slave\d+$/.test(name) ? [replica] : []));
  const isInSync = (replica: string): boolean => {
    const lag = Number(/(?:^|,)lag=(\d{1,9})(?:,|$)/.exec(replica)?.[1] ?? Number.POSITIVE_INFINITY);
    return /(?:^|,)state=online(?:,|$)/.test(replica) && lag <= MOST_LAG_S;
  };
  if (replicas.some(isInSync)) return;
  throw notEligible(
    `${store} has ${counted(replicas.length, 'replica')}, and none is in sync (state=online and lag=0 or 1 in INFO replication), so fault type Failover would have no new primary: start a replica, or wait until one is in sync`,
  );
}

/** @throws {RedisRefusal} RedisNotEligible if one of them could undo a failover, since there was another shortly before */
export function requireSettled(watches: readonly Watch[], masterName: string): void {
  const early = watches.find(({ epoch, watchedMs }) => epoch > 0 && watchedMs < SETTLED_MS);
  if (!early) return;
  throw notEligible(
    `Sentinel ${redisName(early.sentinel)} has watched ${masterName} at ${early.address} for less than ${SETTLED_MS / 1000} s since the last failover, and Sentinels may undo another one until then: wait ${SETTLED_MS / 1000} s`,
  );
}

/**
 * Sends the Sentinel that is to begin the failover the same command for a primary that no Sentinel watches: it checks
 * the right first, and has nothing to fail over.
 * @throws {RedisRefusal} RedisUnreachable without the right; or the reason of `signal`
 */
export async function requireFailoverRight(
  { masterName, servers }: SentinelsTarget,
  signal: AbortSignal,
): Promise<void> {
  const [sentinel] = servers;
  if (sentinel === undefined) return;
  const unknown = `chaosdemo-permission-${randomUUID()}`;
  const answer = await beginFailover(sentinel, unknown, signal).catch((error: unknown) => error);
  signal.throwIfAborted();
  const text = messageOf(answer);
  if (/^ERR No such master/i.test(text)) return;
  const name = `Sentinel ${redisName(sentinel)}`;
  if (text.startsWith('NOPERM')) {
    throw lacksFailoverRight(name, sentinel.port, 'Sentinel', 'sentinel|failover');
  }
  throw unanswered(sentinel, masterName, answer ?? new Error('it began a failover of an unknown primary'));
}

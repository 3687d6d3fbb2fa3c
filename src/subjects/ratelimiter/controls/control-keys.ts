/**
 * What the keys of a caller in Redis show, without a wait: how long it is remembered, and whether a rejected request makes
 * that longer. A limiter that hides the caller in the names of its keys, or a user without the rights, shows nothing.
 */
import { pauseFor } from '@chaosdemo/redis-faults/waiting';
import { span } from '../../../api/index.ts';
import type { Exhausted } from '../interfaces/exhaust-limit.ts';
import { refillMs } from '../limits/least-owed.ts';
import type { RateLimit } from '../limits/rate-limit.ts';
import { PART, rulesOf } from '../spec/schema.ts';
import type { Toolkit } from './tools.ts';

/** Between two readings, so that what differs is not chance; milliseconds. */
const APART_MS = 500;
/** Expiries that are so near to each other are the same; milliseconds. */
const SAME_MS = 100;
/** A key that is kept for less than this part of the window forgets its caller too soon. */
const PART_OF_WINDOW = 0.9;

type Parts = Pick<Toolkit, 'accountOf' | 'limiter' | 'now' | 'ownLimit' | 'redis'>;

export interface KeysOfCaller {
  /** Of the control. */
  readonly key: string;
  /** When its first request was sent. */
  readonly begunAt: number;
  /** Exhausts the limit of another caller. */
  readonly exhaust: (key: string) => Promise<Exhausted>;
  /** Sends one more request of the first. */
  readonly again: () => Promise<unknown>;
}

/**
 * @returns in words, that a caller that keeps asking stays rejected; undefined: that is not shown
 * @throws Error if callers are forgotten long before the stated window ends
 */
export async function controlKeys(
  { accountOf, limiter, now, ownLimit, redis }: Parts,
  { again, begunAt, exhaust, key }: KeysOfCaller,
  signal: AbortSignal,
): Promise<string | undefined> {
  /** When the last of the keys of a caller expires, and its name. */
  const lastOf = async (caller: string) => {
    const kept = await redis.expiries(caller).catch(() => new Map<string, number>());
    const at = now();
    return [...kept]
      .map(([name, ms]) => ({ name, at: at + ms }))
      .reduce<{ name: string; at: number } | undefined>((a, b) => (a && a.at >= b.at ? a : b), undefined);
  };
  // The key of an account is a secret, and one of an address is not known.
  const first = accountOf || ownLimit ? undefined : await lastOf(key);
  if (!first) return undefined;
  await pauseFor(APART_MS, signal);
  const keptMs = first.at - begunAt;
  const rememberedMs = Math.min(...rulesOf(limiter).map(rememberedFor));
  if (keptMs < PART_OF_WINDOW * rememberedMs) {
    const other = `${key}-kept`;
    const { requests } = await exhaust(other);
    const second = await lastOf(other);
    const differsMs = (second?.at ?? 0) - (requests[0]?.sentAt ?? 0) - keptMs;
    // By the clock, keys of later callers would expire at the same moment.
    if (second && Math.abs(differsMs) <= SAME_MS) throw new Error(forgotten(keptMs, limiter.limit.window));
    return undefined;
  }
  await again();
  const after = await lastOf(key);
  const isLonger = after?.name === first.name && after.at - first.at > APART_MS / 2;
  if (!isLonger || !(await isCount(redis, first.name))) return undefined;
  return `a caller that keeps asking stays rejected: a rejected request begins its window anew (${first.name})`;
}

/** How long a caller that used its limit up is not new again, by a rule. */
function rememberedFor(rule: RateLimit): number {
  return rule.algorithm === 'TokenBucket' ? refillMs(rule) : rule.windowMs;
}

function forgotten(keptMs: number, window: string): string {
  return `${PART}.limit.window states ${window}, and Redis keeps the counts of callers for ${span(keptMs)} after their first requests (2 of 2 callers): correct limit.window`;
}

/** Whether the key is a plain count: an expiry of a log or a bucket may be renewed although it does not lock out. */
async function isCount(redis: Toolkit['redis'], key: string): Promise<boolean> {
  return await redis.count({ key, type: 'String', pattern: key }).then(
    (count) => count > 0,
    () => false,
  );
}

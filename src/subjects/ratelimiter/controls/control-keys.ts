/**
 * What the keys of a caller in Redis show, without a wait: how long it is remembered, and whether a rejected request makes
 * that longer. A limiter that hides the caller in the names of its keys, or a user without the rights, shows nothing.
 */
import { pauseFor } from '@chaosdemo/redis-faults/waiting';
import { printable, span, truncate } from '../../../api/index.ts';
import type { Exhausted } from '../interfaces/exhaust-limit.ts';
import { refillMs } from '../limits/least-owed.ts';
import { followsClock, type Rules } from '../limits/rate-limit.ts';
import { CLOCK_WITHIN_MS } from '../limits/window-turn.ts';
import { PART, rulesOf } from '../spec/schema.ts';
import type { Toolkit } from './tools.ts';

/** Between two readings, so that what differs is not chance; milliseconds. */
const APART_MS = 500;
/** Expiries that are so near to each other are the same; milliseconds. */
const SAME_MS = 100;
/** A key that is kept for less than this part of the window forgets its caller too soon. */
const PART_OF_WINDOW = 0.9;
/** Characters of the name of a key in a message. */
const MOST_NAME = 128;
/** Smaller times are in seconds. */
const EPOCH_MS = 1e11;

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

/** What is shown; left out: it is not. */
export interface KeysShown {
  /** Why a caller that keeps asking stays rejected, in words. */
  readonly lockOut?: string;
  /** Whether callers are remembered for a window. */
  readonly isKept?: boolean;
  /** Those of the rules that fit names with the number of a window by the clock. */
  readonly rules?: Rules;
}

/** @throws Error if keys contradict the spec: callers are forgotten long before a window ends, or by the clock */
export async function controlKeys(
  { accountOf, limiter, now, ownLimit, redis }: Parts,
  { again, begunAt, exhaust, key }: KeysOfCaller,
  signal: AbortSignal,
): Promise<KeysShown> {
  /** When the last of the keys of a caller expires, and its name. */
  const lastOf = async (caller: string) => {
    const kept = await redis.expiries(caller).catch(() => new Map<string, number>());
    const at = now();
    return [...kept]
      .map(([name, ms]) => ({ name, shown: truncate(printable(name), MOST_NAME), at: at + ms }))
      .sort((a, b) => b.at - a.at)[0];
  };
  // The key of an account is a secret, and one of an address is not known.
  const first = accountOf || ownLimit ? undefined : await lastOf(key);
  if (!first) return {};
  await pauseFor(APART_MS, signal);
  const keptMs = first.at - begunAt;
  const rules = rulesOf(limiter);
  /** How long a caller that used its limit up is not new again, at least. */
  const rememberedMs = Math.min(
    ...rules.map((rule) => (rule.algorithm === 'TokenBucket' ? refillMs(rule) : rule.windowMs)),
  );
  if (keptMs < PART_OF_WINDOW * rememberedMs) {
    const other = `${key}-kept`;
    const { requests } = await exhaust(other);
    const second = await lastOf(other);
    const differsMs = (second?.at ?? 0) - (requests[0]?.sentAt ?? 0) - keptMs;
    // By the clock, keys of later callers would expire at the same moment.
    if (second && Math.abs(differsMs) <= SAME_MS)
      throw new Error(
        `${PART}.limit.window states ${limiter.limit.window}. Keys of 2 of 2 callers expire ${span(keptMs)} after their first requests: correct limit.window`,
      );
  }
  const { windowMs } = rules[0] ?? { windowMs: 0 };
  const isByClock = hasWindow(first.name.replaceAll(key, ''), now(), windowMs);
  const fitting = rules.filter(followsClock);
  if (isByClock && fitting.length === 0)
    throw new Error(
      `the name of a key has the number of a window by the clock (${first.shown}), and the spec states otherwise. Set ${PART}.limit.windowStart to Clock, or leave algorithm and windowStart out`,
    );
  const isKept = keptMs >= PART_OF_WINDOW * rememberedMs;
  const shown = { isKept, ...(isByClock && { rules: fitting }) };
  await again();
  const after = await lastOf(key);
  const isLonger = after?.name === first.name && after.at - first.at > APART_MS / 2;
  const isForGood = first.at === Number.POSITIVE_INFINITY && !isByClock;
  if (!isLonger && !isForGood) return shown;
  // An expiry of a log or a bucket may be renewed although it does not lock out.
  const plain = { key: first.name, type: 'String', pattern: first.name } as const;
  if ((await redis.count(plain).catch(() => 0)) <= 0) return shown;
  const lockOut = isForGood
    ? `a caller that has used its limit up stays rejected: its count has no expiry (${first.shown})`
    : `a caller that keeps asking stays rejected: a rejected request restarts its window (${first.shown})`;
  return { ...shown, lockOut };
}

/**
 * Whether this part of a name has the number of the window by the clock, or the time at which that begins or ends, in
 * seconds or milliseconds since the epoch.
 */
export function hasWindow(name: string, now: number, windowMs: number): boolean {
  const numbers = (name.match(/\d{4,13}/g) ?? []).map(Number);
  return numbers.some((number) => {
    if (Math.abs(number - now / windowMs) <= 1) return true;
    const at = number < EPOCH_MS ? 1000 * number : number;
    return at % windowMs === 0 && Math.abs(at - now) <= windowMs + CLOCK_WITHIN_MS;
  });
}

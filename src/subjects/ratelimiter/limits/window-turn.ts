/** Ends of windows, which are kept out of an experiment, and when a limit that was partly used is replenished. Derived in docs/research/limits.md. Pure except for the waiting. */

import { pauseFor } from '@chaosdemo/redis-faults/waiting';
import { refillMs } from './least-owed.ts';
import { endsAnytime, mayFade, mayFollowClock, type RateLimit } from './rate-limit.ts';

/** How far the clocks of operator, pods and Redis may be apart; a documented requirement. */
export const CLOCK_WITHIN_MS = 1000;

/**
 * When the window by the clock that contains `now` ends, for any clock within {@link CLOCK_WITHIN_MS}; undefined: there
 * is none.
 */
export function windowEnd(limit: RateLimit, now: number): number | undefined {
  if (!mayFollowClock(limit)) return undefined;
  return (Math.floor(now / limit.windowMs) + 1) * limit.windowMs - CLOCK_WITHIN_MS;
}

/** Whether `needMs` fit into one window; for windows by the clock, whatever the limiter's clock shows. */
export function fitsWindow(limit: RateLimit, needMs: number): boolean {
  const end = windowEnd(limit, 0);
  return needMs <= (end === undefined ? limit.windowMs : end - CLOCK_WITHIN_MS);
}

/**
 * From when on `needMs` fit into the window by the clock: `at`, or once that window has ended by every clock. Also `at`
 * if windows begin with a request, or are too short.
 */
export function fitsFrom(limit: RateLimit, needMs: number, at: number): number {
  const end = windowEnd(limit, at);
  if (end === undefined || !fitsWindow(limit, needMs)) return at;
  // By a clock ahead of ours the window before may have ended; by one behind ours it may not have.
  const begunAt = end - limit.windowMs + 2 * CLOCK_WITHIN_MS;
  if (end - at >= needMs) return Math.max(at, begunAt);
  return end + 2 * CLOCK_WITHIN_MS;
}

/** Waits until {@link fitsFrom}. @throws the reason of `signal` */
export async function untilItFits(
  limit: RateLimit,
  needMs: number,
  now: () => number,
  signal: AbortSignal,
): Promise<void> {
  const at = now();
  const from = fitsFrom(limit, needMs, at);
  if (from > at) await pauseFor(from - at, signal);
}

/**
 * From when on a limiter decides on a caller as if it were new, if that caller sends nothing after `lastUsedAt`. Holds
 * also for a limiter that counts rejections, or restarts its window or wait with each rejection. Milliseconds since the
 * epoch, by a clock that is within {@link CLOCK_WITHIN_MS} of the limiter's.
 */
export function replenishedAt(limit: RateLimit, lastUsedAt: number): number {
  if (endsAnytime(limit) || !mayFollowClock(limit)) return lastUsedAt + mostCooldownMs(limit);
  // By the limiter's clock the last request may already be in the next window, of which the one after may count a share.
  const lastWindow = Math.floor((lastUsedAt + CLOCK_WITHIN_MS) / limit.windowMs);
  return (lastWindow + (mayFade(limit) ? 2 : 1)) * limit.windowMs + CLOCK_WITHIN_MS;
}

/** The longest that a limit may take to be replenished after its last use; milliseconds. */
export function mostCooldownMs(limit: RateLimit): number {
  if (limit.algorithm === 'TokenBucket') return refillMs(limit) + CLOCK_WITHIN_MS;
  if (mayFade(limit)) return 2 * (limit.windowMs + CLOCK_WITHIN_MS);
  return limit.windowMs + (mayFollowClock(limit) ? 2 : 1) * CLOCK_WITHIN_MS;
}

/** The longest that a run waits for the limit to return; milliseconds. A window of a minute fits. */
const MOST_WAIT_MS = 75_000;

/**
 * The longest until a caller that has exhausted its limit and sends nothing is owed a request, in milliseconds: its
 * window has ended, one request fewer weighs in, or a token has been added. Undefined if a run does not wait that long.
 */
export function returnsWithin(limit: RateLimit): number | undefined {
  const each = Math.ceil(limit.windowMs / limit.requests);
  const whole = limit.windowMs + (mayFade(limit) ? each : 0);
  const ms = limit.algorithm === 'TokenBucket' ? each + 2 * (limit.refillEveryMs ?? 0) : whole;
  return ms + CLOCK_WITHIN_MS <= MOST_WAIT_MS ? ms + CLOCK_WITHIN_MS : undefined;
}

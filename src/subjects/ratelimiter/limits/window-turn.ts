/** Keeps the ends of windows out of an experiment, if it fits between two of them. Pure except for the waiting. */
import { pauseFor } from '@chaosdemo/redis-faults/waiting';
import { mayFollowClock, type RateLimit } from './rate-limit.ts';

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

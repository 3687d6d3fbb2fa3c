/** Keeps the ends of windows out of an experiment, if it fits between two of them. Pure but for the waiting. */
import { pauseFor } from '../waiting.ts';
import type { RateLimit } from './rate-limit.ts';

/** How far the clocks of operator, pods and Redis may be apart; documented as what is needed of them. */
export const CLOCK_WITHIN_MS = 1000;

/** When the window by the clock ends in which `now` lies, for any clock within {@link CLOCK_WITHIN_MS}; undefined: it has none. */
export function windowEnd(limit: RateLimit, now: number): number | undefined {
  const byClock =
    limit.algorithm === 'SlidingWindowCounter' ||
    (limit.algorithm === 'FixedWindow' && limit.start === 'Clock');
  if (!byClock) return undefined;
  return (Math.floor(now / limit.windowMs) + 1) * limit.windowMs - CLOCK_WITHIN_MS;
}

/** Whether `needMs` fit into one window; into one by the clock, wherever the limiter's clock is. */
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
  // By a clock that is ahead of ours the window before may have ended; by one that is behind it may not.
  const begunAt = end - limit.windowMs + 2 * CLOCK_WITHIN_MS;
  if (end - at >= needMs) return Math.max(at, begunAt);
  return end + 2 * CLOCK_WITHIN_MS;
}

/** Waits as {@link fitsFrom} has it. @throws the reason of `signal` */
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

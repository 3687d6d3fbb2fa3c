/** Keeps the ends of windows by the clock out of an experiment. Pure but for the waiting. */
import { pauseFor } from '../waiting.ts';
import type { RateLimit } from './rate-limit.ts';

/** How far the clocks of operator, nodes and Redis may be apart; documented as what is needed of them. */
export const CLOCK_WITHIN_MS = 1000;

/** When the window by the clock ends in which `now` lies, for any clock within {@link CLOCK_WITHIN_MS}; undefined: it has none. */
export function windowEnd(limit: RateLimit, now: number): number | undefined {
  const byClock =
    limit.algorithm === 'SlidingWindowCounter' ||
    (limit.algorithm === 'FixedWindow' && limit.start === 'Clock');
  if (!byClock) return undefined;
  return (Math.floor(now / limit.windowMs) + 1) * limit.windowMs - CLOCK_WITHIN_MS;
}

/**
 * Waits until `needMs` fit into the window by the clock, if there is one.
 * @throws the reason of `signal`
 */
export async function untilItFits(
  limit: RateLimit,
  needMs: number,
  now: () => number,
  signal: AbortSignal,
): Promise<void> {
  const at = now();
  const end = windowEnd(limit, at);
  if (end === undefined || end - at >= needMs) return;
  await pauseFor(end - at + 2 * CLOCK_WITHIN_MS, signal);
}

/** How many callers cross their limits in a store outage: each that gets no more than its limit is evidence. Pure. */
import { admittedAtOnce, type RateLimit } from '../../limits/rate-limit.ts';

/** The most callers: each has its own key. */
export const MOST_CROSSING = 10;
/** About this many requests leave the callers one request each before the fault. */
const MOST_REQUESTS = 200;

/**
 * How many callers have one request left when the fault begins: as many as a few requests can prepare and let cross; at
 * least 1.
 * @param inFault requests that such callers send in the fault, all together: each at least three
 */
export function crossingCallers(limit: RateLimit, inFault: number): number {
  const each = Math.max(1, admittedAtOnce(limit) - 1);
  return Math.max(1, Math.min(MOST_CROSSING, Math.floor(MOST_REQUESTS / each), Math.floor(inFault / 3)));
}

/** How many callers cross their limits in a store outage: each that gets no more than its limit is evidence. Pure. */
import { admittedAtOnce, type RateLimit } from '../../limits/rate-limit.ts';

/** As many as there are at most: each is a key of its own. */
export const MOST_CROSSING = 10;
/** Requests, about, that leave so many callers one request each before the fault. */
const MOST_REQUESTS = 200;

/**
 * How many callers have one request left when the fault begins: as many as a few requests prepare and cross their
 * limits with; at least 1.
 * @param inFault requests that such callers send in the fault, all together: each at least three
 */
export function crossingCallers(limit: RateLimit, inFault: number): number {
  const each = Math.max(1, admittedAtOnce(limit) - 1);
  return Math.max(1, Math.min(MOST_CROSSING, Math.floor(MOST_REQUESTS / each), Math.floor(inFault / 3)));
}

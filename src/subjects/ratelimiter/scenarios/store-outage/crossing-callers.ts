/** How many callers cross their limits in a store outage: each that gets no more than its limit is evidence. Pure. */
import { trialsToExclude } from '../../../../demo/power.ts';
import { admittedAtOnce, type RateLimit } from '../../limits/rate-limit.ts';

/** The most without a wish, and through the reference interface: each has a key of its own there. */
export const USUAL_CROSSING = 10;
/** Requests, about, that leave so many callers one request each before the fault. */
const USUAL_REQUESTS = 200;
/** The same at the most, so that they take seconds. */
const MOST_REQUESTS = 2000;
/** One caller is over its limit before the fault, and one is new: they are evidence as well. */
const OTHERS = 2;

/**
 * Callers that have one request left when the fault begins: as many as exclude a failure that hits more than
 * `excludesAbove` percent of callers, or as a few requests prepare and cross their limits with.
 * @param inFault requests that such callers send in the fault, all together
 */
export function crossingCallers(limit: RateLimit, inFault: number, excludesAbove?: number): number {
  if (excludesAbove !== undefined) return Math.max(1, trialsToExclude(excludesAbove) - OTHERS);
  const each = Math.max(1, admittedAtOnce(limit) - 1);
  const most = Math.min(USUAL_CROSSING, Math.floor(USUAL_REQUESTS / each), mostCrossing(limit, inFault));
  return Math.max(1, most);
}

/**
 * The most callers that can cross their limits: each takes requests before the fault, and at least three in it, of
 * `inFault` that are sent.
 */
export function mostCrossing(limit: RateLimit, inFault: number): number {
  const each = Math.max(1, admittedAtOnce(limit) - 1);
  return Math.min(Math.floor(MOST_REQUESTS / each), Math.floor(inFault / 3));
}

/** How many callers have a limit to exceed, with so many that cross theirs. */
export function limitedCallers(crossing: number): number {
  return crossing + OTHERS;
}

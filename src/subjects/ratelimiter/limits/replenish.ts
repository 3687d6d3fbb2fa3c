/** When a limit that was partly used is replenished, by time only. Derived in docs/research/limits.md. Pure. */
import { refillMs } from './least-owed.ts';
import { mayFade, mayFollowClock, type RateLimit } from './rate-limit.ts';
import { CLOCK_WITHIN_MS } from './window-turn.ts';

/**
 * From when on a limiter decides on a caller as if it were new, if that caller sends nothing after `lastUsedAt`. Holds
 * also for a limiter that counts rejections, or restarts its window or wait with each rejection. Milliseconds since the
 * epoch, by a clock that is within {@link CLOCK_WITHIN_MS} of the limiter's.
 */
export function replenishedAt(limit: RateLimit, lastUsedAt: number): number {
  const isUnknown = limit.algorithm === 'FixedWindow' && limit.start === 'Unknown';
  if (isUnknown || !mayFollowClock(limit)) return lastUsedAt + mostCooldownMs(limit);
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
  const ms = CLOCK_WITHIN_MS + returnMs(limit);
  return ms <= MOST_WAIT_MS ? ms : undefined;
}

function returnMs(limit: RateLimit): number {
  const each = Math.ceil(limit.windowMs / limit.requests);
  if (limit.algorithm === 'TokenBucket') return each + 2 * (limit.refillEveryMs ?? 0);
  return limit.windowMs + (mayFade(limit) ? each : 0);
}

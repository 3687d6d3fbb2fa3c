/** When a limit that was partly used is replenished, by time only. Derived in docs/limits.md. Pure. */
import { refillMs } from './least-owed.ts';
import type { RateLimit } from './rate-limit.ts';
import { CLOCK_WITHIN_MS } from './window-turn.ts';

/**
 * From when on a limiter decides on a caller as if it were new, if that caller sends nothing after `lastUsedAt`. Holds
 * also for a limiter that counts rejections, or restarts its window or wait with each rejection. Milliseconds since the
 * epoch, by a clock that is within {@link CLOCK_WITHIN_MS} of the limiter's.
 */
export function replenishedAt(limit: RateLimit, lastUsedAt: number): number {
  const { windowMs } = limit;
  // By the limiter's clock the last request may already be in the next window.
  const lastWindow = Math.floor((lastUsedAt + CLOCK_WITHIN_MS) / windowMs);
  switch (limit.algorithm) {
    case 'FixedWindow':
      return limit.start === 'Clock'
        ? (lastWindow + 1) * windowMs + CLOCK_WITHIN_MS
        : lastUsedAt + mostCooldownMs(limit);
    case 'SlidingWindow':
      return lastUsedAt + windowMs + CLOCK_WITHIN_MS;
    case 'SlidingWindowCounter':
      // The window after that of the last request still counts a share of it.
      return (lastWindow + 2) * windowMs + CLOCK_WITHIN_MS;
    case 'TokenBucket':
      return lastUsedAt + refillMs(limit) + CLOCK_WITHIN_MS;
    default:
      return limit satisfies never;
  }
}

/** The longest that a limit may take to be replenished after its last use; milliseconds. */
export function mostCooldownMs(limit: RateLimit): number {
  const { windowMs } = limit;
  switch (limit.algorithm) {
    case 'FixedWindow':
      if (limit.start === 'Unknown') return 2 * (windowMs + CLOCK_WITHIN_MS);
      return windowMs + (limit.start === 'FirstRequest' ? 1 : 2) * CLOCK_WITHIN_MS;
    case 'SlidingWindow':
      return windowMs + CLOCK_WITHIN_MS;
    case 'SlidingWindowCounter':
      return 2 * (windowMs + CLOCK_WITHIN_MS);
    case 'TokenBucket':
      return refillMs(limit) + CLOCK_WITHIN_MS;
    default:
      return limit satisfies never;
  }
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
  const { requests, windowMs } = limit;
  const each = Math.ceil(windowMs / requests);
  if (limit.algorithm === 'TokenBucket') return each + 2 * (limit.refillEveryMs ?? 0);
  const fades =
    limit.algorithm === 'SlidingWindowCounter' ||
    (limit.algorithm === 'FixedWindow' && limit.start === 'Unknown');
  return windowMs + (fades ? each : 0);
}

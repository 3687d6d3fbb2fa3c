/**
 * The cool-downs of a run on a limiter that identifies callers by the source address only: before its control, and
 * before each part of a fault, that one limit has to be replenished. Pure.
 */
import { formatDuration } from '../../../api/index.ts';
import type { RateLimit } from '../limits/rate-limit.ts';
import { mostCooldownMs } from '../limits/replenish.ts';
import { CLOCK_WITHIN_MS, windowEnd } from '../limits/window-turn.ts';
import { limitOf } from '../spec/limit-of-spec.ts';
import { PART, type RateLimiterSpec } from '../spec/schema.ts';

/** Whether all requests of a run are of one caller. */
export function isOfOneCaller({ http }: Pick<RateLimiterSpec, 'http'>): boolean {
  return http.identity === 'SourceAddress';
}

/** The longest cool-down, in milliseconds; 0: none is needed. */
export function cooldownMs(limiter: RateLimiterSpec): number {
  return isOfOneCaller(limiter) ? mostCooldownMs(limitOf(limiter)) : 0;
}

/** The wait before a step with this many cool-downs, in a sentence; undefined: there is none. */
export function cooldownSentence(limiter: RateLimiterSpec, cooldowns: number): string | undefined {
  if (!isOfOneCaller(limiter)) return undefined;
  const times = cooldowns === 1 ? '' : `${cooldowns} times `;
  return `This waits ${times}up to ${formatDuration(cooldownMs(limiter))} until the limit of the operator's address is replenished`;
}

/**
 * Why a step that has to fit into one window by the clock never does: a cool-down ends a moment after the window began.
 */
export function tooLongForClock(limit: RateLimit, ms: number, name: string): string | undefined {
  const end = windowEnd(limit, 0);
  if (end === undefined) return undefined;
  // The window has to have begun by every clock, and the fault is planned a moment later.
  const roomMs = end - 2 * CLOCK_WITHIN_MS;
  if (ms <= roomMs) return undefined;
  return `${name}: its ${formatDuration(ms)} have to fit into a window by the clock, and of ${formatDuration(limit.windowMs)} clocks that may differ by ${formatDuration(CLOCK_WITHIN_MS)} leave ${formatDuration(Math.max(0, roomMs))}: raise ${PART}.limit.window, or shorten the fault`;
}

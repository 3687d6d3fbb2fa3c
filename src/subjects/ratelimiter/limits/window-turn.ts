/** Ends of windows, which are kept out of an experiment, and when a limit that was partly used is replenished. Derived in docs/research/limits.md. Pure except for the waiting. */

import { pauseFor } from '@chaosdemo/redis-faults/waiting';
import { refillMs } from './least-owed.ts';
import { fades, followsClock, type RateLimit, type Rules } from './rate-limit.ts';

/** How far the clocks of operator, pods and Redis may be apart; a documented requirement. */
export const CLOCK_WITHIN_MS = 1000;

/**
 * When the window by the clock that contains `now` ends, for any clock within {@link CLOCK_WITHIN_MS}; undefined: by none
 * of these rules there is one.
 */
export function windowEnd(rules: Rules, now: number): number | undefined {
  const rule = rules.find(followsClock);
  return rule && (Math.floor(now / rule.windowMs) + 1) * rule.windowMs - CLOCK_WITHIN_MS;
}

/** Whether `needMs` fit into one window; for windows by the clock, whatever the limiter's clock shows. */
export function fitsWindow(rules: Rules, needMs: number): boolean {
  const end = windowEnd(rules, 0);
  return needMs <= (end === undefined ? windowOf(rules) : end - CLOCK_WITHIN_MS);
}

/**
 * From when on `needMs` fit into the window by the clock: `at`, or once that window has ended by every clock. Also `at`
 * if windows begin with a request, or are too short.
 */
export function fitsFrom(rules: Rules, needMs: number, at: number): number {
  const end = windowEnd(rules, at);
  if (end === undefined || !fitsWindow(rules, needMs)) return at;
  // By a clock ahead of ours the window before may have ended; by one behind ours it may not have.
  const begunAt = end - windowOf(rules) + 2 * CLOCK_WITHIN_MS;
  if (end - at >= needMs) return Math.max(at, begunAt);
  return end + 2 * CLOCK_WITHIN_MS;
}

/** Waits until {@link fitsFrom}. @throws the reason of `signal` */
export async function untilItFits(
  rules: Rules,
  needMs: number,
  now: () => number,
  signal: AbortSignal,
): Promise<void> {
  const at = now();
  const from = fitsFrom(rules, needMs, at);
  if (from > at) await pauseFor(from - at, signal);
}

/**
 * From when on a limiter decides on a caller as if it were new, if that caller sends nothing after `lastUsedAt`. Holds
 * also for a limiter that counts rejections, or restarts its window or wait with each rejection. Milliseconds since the
 * epoch, by a clock that is within {@link CLOCK_WITHIN_MS} of the limiter's.
 */
export function replenishedAt(rules: Rules, lastUsedAt: number): number {
  const each = rules.map((rule) => {
    if (!followsClock(rule)) return lastUsedAt + cooldownMs(rule);
    // By the limiter's clock the last request may already be in the next window, of which the one after may count a share.
    const lastWindow = Math.floor((lastUsedAt + CLOCK_WITHIN_MS) / rule.windowMs);
    return (lastWindow + (fades(rule) ? 2 : 1)) * rule.windowMs + CLOCK_WITHIN_MS;
  });
  return Math.max(...each);
}

/** The longest that a limit may take to be replenished after its last use; milliseconds. */
export function mostCooldownMs(rules: Rules): number {
  return Math.max(...rules.map(cooldownMs));
}

function cooldownMs(rule: RateLimit): number {
  if (rule.algorithm === 'TokenBucket') return refillMs(rule) + CLOCK_WITHIN_MS;
  if (fades(rule)) return 2 * (rule.windowMs + CLOCK_WITHIN_MS);
  return rule.windowMs + (followsClock(rule) ? 2 : 1) * CLOCK_WITHIN_MS;
}

/** All rules have the same. */
export function windowOf(rules: Rules): number {
  return Math.max(...rules.map(({ windowMs }) => windowMs));
}

/** The longest that a run waits for the limit to return; milliseconds. A window of a minute fits. */
const MOST_WAIT_MS = 75_000;

/**
 * The longest until a caller that has exhausted its limit and sends nothing is owed a request, in milliseconds: its
 * window has ended, one request fewer weighs in, or a token has been added. Undefined if a run does not wait that long.
 */
export function returnsWithin(rules: Rules): number | undefined {
  const each = rules.map((rule) => {
    const one = Math.ceil(rule.windowMs / rule.requests);
    if (rule.algorithm === 'TokenBucket') return one + 2 * (rule.refillEveryMs ?? 0);
    return rule.windowMs + (fades(rule) ? one : 0);
  });
  const ms = Math.max(...each) + CLOCK_WITHIN_MS;
  return ms <= MOST_WAIT_MS ? ms : undefined;
}

/**
 * The one limit of a run on a rate limiter that identifies callers by the source address only. All requests of the run
 * are of one caller, so each part of a run begins once that limit is replenished.
 */
import { pauseFor } from '@chaosdemo/redis-faults/waiting';
import type { Rules } from '../limits/rate-limit.ts';
import { replenishedAt } from '../limits/window-turn.ts';

export type OwnLimit = ReturnType<typeof ownLimitOf>;

/** Earlier use is unknown: the limit counts as used now. @param now milliseconds since the epoch */
export function ownLimitOf(rules: Rules, now: () => number) {
  let lastUsedAt = now();
  return {
    /** Call when requests have ended: they are answered or given up, and any fault that delayed them has ended. */
    used(): void {
      lastUsedAt = now();
    },
    /** Resolves once the limit is replenished, if no other client uses it. @throws the reason of `signal` */
    async untilReplenished(signal: AbortSignal): Promise<void> {
      for (;;) {
        const left = replenishedAt(rules, lastUsedAt) - now();
        signal.throwIfAborted();
        if (left <= 0) return;
        await pauseFor(left, signal);
      }
    },
  };
}

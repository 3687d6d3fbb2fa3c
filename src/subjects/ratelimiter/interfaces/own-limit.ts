/**
 * The one limit that a run has at a rate limiter which knows its callers by the source address alone: all its requests
 * are those of one caller, so each part of a run begins once that limit is replenished.
 */
import type { RateLimit } from '../limits/rate-limit.ts';
import { replenishedAt } from '../limits/replenish.ts';
import { pauseFor } from '../waiting.ts';

export class OwnLimit {
  readonly #limit: RateLimit;
  readonly #now: () => number;
  #lastUsedAt: number;

  /** What was used before is not known: the limit counts as used now. @param now milliseconds since the epoch */
  constructor(limit: RateLimit, now: () => number) {
    this.#limit = limit;
    this.#now = now;
    this.#lastUsedAt = now();
  }

  /** To be told when requests are over: their answers are there or given up, and whatever held them up has ended. */
  used(): void {
    this.#lastUsedAt = this.#now();
  }

  /** Resolves once the limit is whole, if nobody else uses it. @throws the reason of `signal` */
  async untilReplenished(signal: AbortSignal): Promise<void> {
    for (;;) {
      const left = replenishedAt(this.#limit, this.#lastUsedAt) - this.#now();
      signal.throwIfAborted();
      if (left <= 0) return;
      await pauseFor(left, signal);
    }
  }
}

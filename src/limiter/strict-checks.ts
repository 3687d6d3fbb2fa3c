/** Checks in strict mode: each is one atomic script in Redis with a deadline inside. Exact; refuses when in doubt. */
import { setTimeout as sleep } from 'node:timers/promises';
import { DEADLINE_SHARE, TIMED_OUT, within } from './deadline.ts';
import { LimiterError, refused } from './errors.ts';
import type { BookedWindow } from './window-book.ts';
import type { Writes } from './writes.ts';

/** Most checks that wait for Redis at once; more would only pile up behind a pause. */
const MAX_WAITING_CHECKS = 20_000;

export interface StrictChecksParts {
  readonly writes: Writes;
  readonly timeoutMs: number;
  /** Redis's time in ms, as far as it is known. */
  readonly now: () => number;
  /** The open window of a key. @throws LimiterError */
  readonly current: (key: string) => Promise<BookedWindow>;
  /** Asks Redis for the definition of a key anew. @throws LimiterError */
  readonly load: (key: string) => Promise<void>;
}

export class StrictChecks {
  readonly #parts: StrictChecksParts;
  #waiting = 0;

  constructor(parts: StrictChecksParts) {
    this.#parts = parts;
  }

  /**
   * Decides one request.
   * @throws LimiterError LIMIT_UNKNOWN, REDIS_UNAVAILABLE, CHECK_DEADLINE_EXCEEDED, OVERLOADED
   */
  async check(
    key: string,
  ): Promise<{ readonly booked: BookedWindow; readonly allowed: boolean; readonly remaining: number }> {
    if (this.#waiting >= MAX_WAITING_CHECKS) throw new LimiterError('OVERLOADED');
    this.#waiting += 1;
    const { current, load, now, timeoutMs, writes } = this.#parts;
    try {
      const giveUpAt = performance.now() + timeoutMs;
      for (;;) {
        const booked = await current(key);
        const left = giveUpAt - performance.now();
        if (left <= 0) throw new LimiterError('CHECK_DEADLINE_EXCEEDED');
        const check = writes.strictCheck(booked, Math.floor(now() + left * DEADLINE_SHARE)).catch(refused);
        const reply = await within(check, left);
        if (reply === TIMED_OUT) throw new LimiterError('CHECK_DEADLINE_EXCEEDED');
        const { outcome, total, own } = reply;
        if (outcome === 'allowed' || outcome === 'denied') {
          const allowed = outcome === 'allowed';
          const { admitted } = booked.state;
          booked.state = { ...booked.state, admitted: allowed ? admitted + 1 : admitted, synced: own };
          return { booked, allowed, remaining: Math.max(0, booked.limit - total) };
        }
        if (outcome === 'late') throw new LimiterError('CHECK_DEADLINE_EXCEEDED');
        if (outcome === 'changed') await load(key);
        // Redis's clock is a little ahead of the estimate: the next window begins in a moment.
        else await sleep(2);
      }
    } finally {
      this.#waiting -= 1;
    }
  }
}

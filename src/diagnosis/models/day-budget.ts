/**
 * Limits the tokens that a profile may use in a day, so that no tenant makes the operator spend without a bound. The
 * maximum cost of an attempt is reserved before it is sent: concurrent questions cannot exceed the budget together. The
 * budget is kept in memory: a restart begins a new day.
 */
import type { ModelProfile } from './profiles.ts';

/** Thrown if a question might exceed the budget. The message names the budget and when it is renewed. */
export class BudgetError extends Error {
  override readonly name = 'BudgetError';
}

/** A reservation. Settle it once, with the tokens that were used; with 0 if none were. */
export interface Reservation {
  settle(used: number): void;
}

const DAY_MS = 86_400_000;

/** The budget of one profile; days are by UTC. */
export class DayBudget {
  readonly #most: number;
  readonly #now: () => number;
  #day = 0;
  #tokens = 0;

  /** @param now milliseconds since the epoch */
  constructor({ tokensPerDay = Infinity }: Pick<ModelProfile, 'tokensPerDay'>, now: () => number) {
    this.#most = tokensPerDay;
    this.#now = now;
  }

  /** @throws {BudgetError} if that might exceed the budget */
  reserve(tokens: number): Reservation {
    const day = this.#turnPage();
    if (this.#tokens + tokens > this.#most) {
      const left = Math.max(0, this.#most - this.#tokens);
      const next = new Date((day + 1) * DAY_MS).toISOString().replace(/:\d\d\.\d+Z$/, 'Z');
      throw new BudgetError(
        `the budget of ${this.#most} tokens a day has ${left} left, and a question may take ${tokens}; there is a new one at ${next}`,
      );
    }
    this.#tokens += tokens;
    return {
      settle: (used) => {
        // Reservations of a day that has ended are forgotten with it.
        if (this.#turnPage() === day) this.#tokens += used - tokens;
      },
    };
  }

  /** The current day, in days since the epoch. A new one begins with nothing used. */
  #turnPage(): number {
    const day = Math.floor(this.#now() / DAY_MS);
    if (day !== this.#day) this.#tokens = 0;
    this.#day = day;
    return day;
  }
}

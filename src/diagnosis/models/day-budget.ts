/**
 * Limits what a profile may use in a day, in tokens and in money, so that no tenant makes the operator spend without a
 * bound. The maximum cost of a question is reserved before it is sent: concurrent questions cannot exceed the budget
 * together. The budget is kept in memory: a restart begins a new day.
 */
import type { ModelProfile } from './profiles.ts';

/** Tokens of one question. */
export interface TokenUse {
  readonly input: number;
  readonly output: number;
}

/** Thrown if a question might exceed the budget. The message names the budget and when it is renewed. */
export class BudgetError extends Error {
  override readonly name = 'BudgetError';
}

/** A reservation. Settle it once, with the actual use; with zero if nothing was used. */
export interface Reservation {
  settle(used: TokenUse): void;
}

type Budgeted = Pick<ModelProfile, 'tokensPerDay' | 'dollarsPerDay' | 'price'>;

const DAY_MS = 86_400_000;

/** The budget of one profile; days are by UTC. */
export class DayBudget {
  readonly #profile: Budgeted;
  readonly #now: () => number;
  #day = 0;
  #tokens = 0;
  #microDollars = 0;

  /** @param now milliseconds since the epoch */
  constructor(profile: Budgeted, now: () => number) {
    this.#profile = profile;
    this.#now = now;
  }

  /** @throws {BudgetError} if that might exceed the budget */
  reserve(most: TokenUse): Reservation {
    const { dollarsPerDay, tokensPerDay } = this.#profile;
    const day = this.#turnPage();
    const cost = microDollars(most, this.#profile);
    const tokens = most.input + most.output;
    if (tokensPerDay !== undefined && this.#tokens + tokens > tokensPerDay) {
      const left = Math.max(0, tokensPerDay - this.#tokens);
      throw this.#exceeded(`${tokensPerDay} tokens`, String(left), `take ${tokens}`);
    }
    if (dollarsPerDay !== undefined && this.#microDollars + cost > dollarsPerDay * 1e6) {
      const left = Math.max(0, dollarsPerDay * 1e6 - this.#microDollars);
      throw this.#exceeded(`${dollarsPerDay} dollars`, inDollars(left), `cost ${inDollars(cost)}`);
    }
    this.#tokens += tokens;
    this.#microDollars += cost;
    return {
      settle: (used) => {
        // Reservations of a day that has ended are forgotten with it.
        if (this.#turnPage() !== day) return;
        this.#tokens += used.input + used.output - tokens;
        this.#microDollars += microDollars(used, this.#profile) - cost;
      },
    };
  }

  #exceeded(budget: string, left: string, need: string): BudgetError {
    const next = new Date((this.#day + 1) * DAY_MS).toISOString().replace(/:\d\d\.\d+Z$/, 'Z');
    return new BudgetError(
      `the budget of ${budget} a day has ${left} left, and a question may ${need}; there is a new one at ${next}`,
    );
  }

  /** The current day, in days since the epoch. A new one begins with nothing used. */
  #turnPage(): number {
    const day = Math.floor(this.#now() / DAY_MS);
    if (day !== this.#day) {
      this.#tokens = 0;
      this.#microDollars = 0;
    }
    this.#day = day;
    return day;
  }
}

/** Millionths of a dollar; also the price of one token if a million cost a dollar. 0 without a price. */
export function microDollars({ input, output }: TokenUse, { price }: Pick<Budgeted, 'price'>): number {
  return price === undefined ? 0 : Math.ceil(input * price.input + output * price.output);
}

function inDollars(micro: number): string {
  return (micro / 1e6).toFixed(4);
}

/**
 * What a profile may use up in a day: tokens, and money. What may be used is set aside before a question is asked,
 * so that questions at the same time cannot go beyond it together. It is kept in memory: a process that starts
 * anew begins with a whole budget.
 */
import type { ModelProfile } from './profiles.ts';

/** Tokens of one question. */
export interface TokenUse {
  readonly input: number;
  readonly output: number;
}

/** Thrown where a question might go beyond the budget. The message says which, and when there is a new one. */
export class BudgetError extends Error {
  override readonly name = 'BudgetError';
  readonly code = 'BUDGET';
}

/** What was set aside. Settle it once, with what was used; with nothing where nothing was. */
export interface Reservation {
  settle(used: TokenUse): void;
}

type Budgeted = Pick<ModelProfile, 'tokensPerDay' | 'dollarsPerDay' | 'price'>;

const DAY_MS = 86_400_000;

/** The budget of one profile; a day is one by UTC. */
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

  /** @throws {BudgetError} where that much might be too much */
  reserve(most: TokenUse): Reservation {
    const day = Math.floor(this.#now() / DAY_MS);
    if (day !== this.#day) {
      this.#day = day;
      this.#tokens = 0;
      this.#microDollars = 0;
    }
    const { dollarsPerDay, tokensPerDay } = this.#profile;
    const again = new Date((day + 1) * DAY_MS).toISOString().replace(/:\d\d\.\d+Z$/, 'Z');
    const tokens = most.input + most.output;
    if (tokensPerDay !== undefined && this.#tokens + tokens > tokensPerDay) {
      throw new BudgetError(
        `the budget of ${tokensPerDay} tokens a day has ${Math.max(0, tokensPerDay - this.#tokens)} left, and a question may take ${tokens}; there is a new one at ${again}`,
      );
    }
    const cost = microDollars(most, this.#profile);
    if (dollarsPerDay !== undefined && this.#microDollars + cost > dollarsPerDay * 1e6) {
      throw new BudgetError(
        `the budget of ${dollarsPerDay} dollars a day has ${inDollars(Math.max(0, dollarsPerDay * 1e6 - this.#microDollars))} left, and a question may cost ${inDollars(cost)}; there is a new one at ${again}`,
      );
    }
    this.#add(tokens, cost);
    let settled = false;
    return {
      settle: (used) => {
        // What was set aside on a day that is over is forgotten with it.
        if (settled || this.#day !== day) return;
        settled = true;
        this.#add(used.input + used.output - tokens, microDollars(used, this.#profile) - cost);
      },
    };
  }

  #add(tokens: number, cost: number): void {
    this.#tokens += tokens;
    this.#microDollars += cost;
  }
}

/** Millionths of a dollar, which is also what a token costs where a million costs a dollar; 0 without a price. */
export function microDollars({ input, output }: TokenUse, { price }: Pick<Budgeted, 'price'>): number {
  return price === undefined ? 0 : Math.ceil(input * price.input + output * price.output);
}

function inDollars(micro: number): string {
  return (micro / 1e6).toFixed(4);
}

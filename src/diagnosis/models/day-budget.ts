/**
 * What a profile may use up in a day: tokens, and money. What may be used is set aside before a question is asked,
 * so that questions at the same time cannot go beyond it together. A namespace may use no more than its share of what
 * the others leave: whatever one of them does, there is something for the next.
 */
import type { ModelProfile } from './profiles.ts';
import { dayOf, nextDay, type Spent } from './spending.ts';
import type { SpendingBook } from './spending-book.ts';

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

type Budgeted = Pick<ModelProfile, 'name' | 'tokensPerDay' | 'dollarsPerDay' | 'namespaceShare' | 'price'>;

/** A bound on one thing that is used up. */
interface Bound {
  readonly perDay: number;
  readonly ofQuestion: number;
  readonly used: (spent: Spent) => number;
  readonly budget: string;
  readonly say: (amount: number) => string;
  /** What a question does. */
  readonly verb: string;
}

/** The budget of one profile; a day is one by UTC. */
export class DayBudget {
  readonly #profile: Budgeted;
  readonly #book: SpendingBook;
  readonly #now: () => number;

  /**
   * @param book what was used up; of all profiles of a process
   * @param now milliseconds since the epoch
   */
  constructor(profile: Budgeted, book: SpendingBook, now: () => number) {
    this.#profile = profile;
    this.#book = book;
    this.#now = now;
  }

  /** Whether there is a bound at all. */
  get isBounded(): boolean {
    return this.#profile.tokensPerDay !== undefined || this.#profile.dollarsPerDay !== undefined;
  }

  /**
   * @param namespace whose question it is; left out: of nobody, whom the whole budget bounds
   * @throws {BudgetError} where that much might be too much
   */
  reserve(most: TokenUse, namespace?: string): Reservation {
    if (!this.isBounded) return { settle: () => {} };
    const day = dayOf(this.#now());
    const { name } = this.#profile;
    const account = this.#book.accountOf(name, namespace ?? '');
    const setAside = this.#spent(most);
    for (const bound of this.#bounds(setAside)) this.#require(bound, account, namespace);
    this.#book.add(name, account, setAside);
    let settled = false;
    return {
      settle: (used) => {
        // What was set aside on a day that is over is forgotten with it.
        if (settled || dayOf(this.#now()) !== day) return;
        settled = true;
        const { microDollars, tokens } = this.#spent(used);
        this.#book.add(name, account, {
          tokens: tokens - setAside.tokens,
          microDollars: microDollars - setAside.microDollars,
        });
      },
    };
  }

  #require(
    { budget, ofQuestion, perDay, say, used, verb }: Bound,
    account: string,
    namespace: string | undefined,
  ): void {
    const accounts = this.#book.usedBy(this.#profile.name);
    const all = [...accounts.values()].reduce((sum, spent) => sum + used(spent), 0);
    const again = `there is a new one at ${nextDay(this.#now())}`;
    if (all + ofQuestion > perDay) {
      throw new BudgetError(
        `the budget of ${budget} a day has ${say(Math.max(0, perDay - all))} left, and a question may ${verb} ${say(ofQuestion)}; ${again}`,
      );
    }
    if (namespace === undefined) return;
    const own = used(accounts.get(account) ?? { tokens: 0, microDollars: 0 });
    const { namespaceShare } = this.#profile;
    const share = Math.floor(((perDay - (all - own)) * namespaceShare) / 100);
    if (own + ofQuestion > share) {
      throw new BudgetError(
        `a namespace may use ${namespaceShare} % of what the others leave of the budget of ${budget} a day: of ${say(share)} this one has ${say(Math.max(0, share - own))} left, and a question may ${verb} ${say(ofQuestion)}; ${again}`,
      );
    }
  }

  #bounds({ microDollars, tokens }: Spent): Bound[] {
    const { dollarsPerDay, tokensPerDay } = this.#profile;
    const bounds: Bound[] = [];
    if (tokensPerDay !== undefined) {
      bounds.push({
        perDay: tokensPerDay,
        ofQuestion: tokens,
        used: (spent) => spent.tokens,
        budget: `${tokensPerDay} tokens`,
        say: String,
        verb: 'take',
      });
    }
    if (dollarsPerDay !== undefined) {
      bounds.push({
        perDay: dollarsPerDay * 1e6,
        ofQuestion: microDollars,
        used: (spent) => spent.microDollars,
        budget: `${dollarsPerDay} dollars`,
        say: inDollars,
        verb: 'cost',
      });
    }
    return bounds;
  }

  #spent(use: TokenUse): Spent {
    return { tokens: use.input + use.output, microDollars: microDollars(use, this.#profile) };
  }
}

/** Millionths of a dollar, which is also what a token costs where a million costs a dollar; 0 without a price. */
export function microDollars({ input, output }: TokenUse, { price }: Pick<Budgeted, 'price'>): number {
  return price === undefined ? 0 : Math.ceil(input * price.input + output * price.output);
}

function inDollars(micro: number): string {
  return (micro / 1e6).toFixed(4);
}

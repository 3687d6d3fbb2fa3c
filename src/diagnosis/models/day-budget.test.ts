import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BudgetError, DayBudget, microDollars } from './day-budget.ts';
import { FURTHER, MOST_ACCOUNTS, SpendingBook } from './spending-book.ts';

const at = (time: string): (() => number) => {
  const moment = Date.parse(time);
  return () => moment;
};
const noon = at('2026-03-01T12:00:00Z');

const budgetOf = (
  profile: { tokensPerDay?: number; dollarsPerDay?: number; price?: { input: number; output: number } },
  now: () => number,
  { book = new SpendingBook({ now }), namespaceShare = 50 } = {},
): DayBudget => new DayBudget({ name: 'hosted', namespaceShare, ...profile }, book, now);

describe('a budget for a day', () => {
  it('is there until it is used up, and says how much is left and when there is more', () => {
    const budget = budgetOf({ tokensPerDay: 1000 }, noon);
    budget.reserve({ input: 400, output: 200 }).settle({ input: 300, output: 100 });
    budget.reserve({ input: 400, output: 200 }).settle({ input: 400, output: 200 });
    expect(() => budget.reserve({ input: 1, output: 0 })).toThrow(BudgetError);
    expect(() => budget.reserve({ input: 1, output: 0 })).toThrow(
      'the budget of 1000 tokens a day has 0 left, and a question may take 1; there is a new one at 2026-03-02T00:00Z',
    );
  });

  it('counts what is set aside, so that questions at the same time cannot go beyond it', () => {
    const budget = budgetOf({ tokensPerDay: 1000 }, noon);
    const first = budget.reserve({ input: 500, output: 100 });
    expect(() => budget.reserve({ input: 500, output: 100 })).toThrow(/has 400 left/);
    first.settle({ input: 0, output: 0 });
    first.settle({ input: 0, output: 0 });
    expect(() => budget.reserve({ input: 500, output: 501 })).toThrow(/has 1000 left/);
  });

  it('is one of money as well', () => {
    const budget = budgetOf({ dollarsPerDay: 0.01, price: { input: 3, output: 15 } }, noon);
    // 1000 tokens in and 200 out cost 0.003 and 0.003 dollars.
    budget.reserve({ input: 1000, output: 200 }).settle({ input: 1000, output: 200 });
    expect(() => budget.reserve({ input: 1000, output: 200 })).toThrow(
      'the budget of 0.01 dollars a day has 0.0040 left, and a question may cost 0.0060',
    );
    expect(microDollars({ input: 1000, output: 200 }, { price: { input: 3, output: 15 } })).toBe(6000);
  });

  it('is a new one on the next day, to which nothing is settled that was set aside before', () => {
    let now = Date.parse('2026-03-01T23:59:59Z');
    const budget = budgetOf({ tokensPerDay: 100 }, () => now);
    const late = budget.reserve({ input: 100, output: 0 });
    now += 2000;
    budget.reserve({ input: 100, output: 0 });
    late.settle({ input: 0, output: 0 });
    expect(() => budget.reserve({ input: 1, output: 0 })).toThrow(/has 0 left/);
  });

  it('is never exceeded, whatever is asked and settled within what was set aside', () => {
    const use = fc.record({
      input: fc.nat(500),
      output: fc.nat(500),
      share: fc.double({ min: 0, max: 1, noNaN: true }),
    });
    fc.assert(
      fc.property(fc.array(use), fc.nat(5000), (uses, tokensPerDay) => {
        const budget = budgetOf({ tokensPerDay: tokensPerDay + 1 }, noon);
        let used = 0;
        for (const { input, output, share } of uses) {
          try {
            const spent = { input: Math.floor(input * share), output: Math.floor(output * share) };
            budget.reserve({ input, output }).settle(spent);
            used += spent.input + spent.output;
          } catch (error) {
            expect(error).toBeInstanceOf(BudgetError);
          }
        }
        expect(used).toBeLessThanOrEqual(tokensPerDay + 1);
      }),
    );
  });
});

describe('the share of a namespace', () => {
  const used = (input: number) => ({ input, output: 0 });
  const spend = (budget: DayBudget, namespace: string, input: number): void =>
    budget.reserve(used(input), namespace).settle(used(input));

  it('is half of what the others leave, so that the next finds something', () => {
    const budget = budgetOf({ tokensPerDay: 1000 }, noon);
    spend(budget, 'greedy', 500);
    expect(() => budget.reserve(used(1), 'greedy')).toThrow(
      'a namespace may use 50 % of what the others leave of the budget of 1000 tokens a day: of 500 this one has 0 left, and a question may take 1; there is a new one at 2026-03-02T00:00Z',
    );
    spend(budget, 'next', 250);
    expect(() => budget.reserve(used(1), 'next')).toThrow(/of 250 this one has 0 left/);
    spend(budget, 'third', 125);
    // What the others have used since does not take away what one has: it only cannot have more.
    expect(() => budget.reserve(used(1), 'greedy')).toThrow(/of 312 this one has 0 left/);
  });

  it('is of money as well', () => {
    const budget = budgetOf({ dollarsPerDay: 0.01, price: { input: 3, output: 15 } }, noon);
    spend(budget, 'greedy', 1000);
    expect(() => budget.reserve(used(1000), 'greedy')).toThrow(
      /of 0\.0050 this one has 0\.0020 left, and a question may cost 0\.0030/,
    );
    expect(budget.reserve(used(1000), 'next')).toBeDefined();
  });

  it('is what the profile says, up to the whole, and no matter of whoever has no namespace', () => {
    const all = budgetOf({ tokensPerDay: 1000 }, noon, { namespaceShare: 100 });
    spend(all, 'greedy', 1000);
    expect(() => all.reserve(used(1), 'next')).toThrow(/budget of 1000 tokens a day has 0 left/);
    const some = budgetOf({ tokensPerDay: 1000 }, noon, { namespaceShare: 10 });
    expect(() => some.reserve(used(101), 'one')).toThrow(/10 %/);
    expect(some.reserve(used(1000))).toBeDefined();
  });

  it('leaves a quarter of the budget or more to whoever comes second, whatever the first does', () => {
    const steps = fc.array(
      fc.record({ most: fc.nat(600), part: fc.double({ min: 0, max: 1, noNaN: true }) }),
    );
    fc.assert(
      fc.property(steps, (all) => {
        const budget = budgetOf({ tokensPerDay: 1000 }, noon);
        for (const { most, part } of all) {
          try {
            budget.reserve(used(most), 'first').settle(used(Math.floor(most * part)));
          } catch (error) {
            expect(error).toBeInstanceOf(BudgetError);
          }
        }
        expect(budget.reserve(used(250), 'second')).toBeDefined();
      }),
    );
  });

  it('keeps the total within the budget, whoever asks', () => {
    const step = fc.record({ who: fc.constantFrom('a', 'b', 'c', undefined), most: fc.nat(600) });
    fc.assert(
      fc.property(fc.array(step), fc.integer({ min: 1, max: 100 }), (steps, namespaceShare) => {
        const book = new SpendingBook({ now: noon });
        const budget = budgetOf({ tokensPerDay: 1000 }, noon, { book, namespaceShare });
        for (const { most, who } of steps) {
          try {
            budget.reserve(used(most), who);
          } catch (error) {
            expect(error).toBeInstanceOf(BudgetError);
          }
        }
        const all = [...book.usedBy('hosted').values()].reduce((sum, { tokens }) => sum + tokens, 0);
        expect(all).toBeLessThanOrEqual(1000);
      }),
    );
  });

  it('is one for all namespaces beyond those that accounts are kept for', () => {
    const book = new SpendingBook({ now: noon });
    const budget = budgetOf({ tokensPerDay: 1_000_000 }, noon, { book });
    for (let i = 0; i < MOST_ACCOUNTS + 50; i += 1) spend(budget, `team-${i}`, 1);
    expect(book.usedBy('hosted').size).toBe(MOST_ACCOUNTS + 1);
    expect(book.usedBy('hosted').get(FURTHER)?.tokens).toBe(50);
  });
});

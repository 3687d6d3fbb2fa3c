import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BudgetError, DayBudget } from './day-budget.ts';

const at = (time: string): (() => number) => {
  const moment = Date.parse(time);
  return () => moment;
};
const noon = at('2026-03-01T12:00:00Z');

describe('a budget for a day', () => {
  it('a daily budget starts new each day, without reservations of the day before', () => {
    let now = Date.parse('2026-03-01T23:59:59Z');
    const budget = new DayBudget({ tokensPerDay: 100 }, () => now);
    const late = budget.reserve(100);
    now += 2000;
    budget.reserve(100);
    late.settle(0);
    expect(() => budget.reserve(1)).toThrow(BudgetError);
  });

  it('is never exceeded, whatever is reserved and settled within the reservation', () => {
    const use = fc.record({ tokens: fc.nat(1000), share: fc.double({ min: 0, max: 1, noNaN: true }) });
    fc.assert(
      fc.property(fc.array(use), fc.nat(5000), (uses, tokensPerDay) => {
        const budget = new DayBudget({ tokensPerDay: tokensPerDay + 1 }, noon);
        let used = 0;
        for (const { share, tokens } of uses) {
          try {
            const spent = Math.floor(tokens * share);
            budget.reserve(tokens).settle(spent);
            used += spent;
          } catch (error) {
            expect(error).toBeInstanceOf(BudgetError);
          }
        }
        expect(used).toBeLessThanOrEqual(tokensPerDay + 1);
      }),
    );
  });
});

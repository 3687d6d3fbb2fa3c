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
    const late = budget.reserve({ input: 100, output: 0 });
    now += 2000;
    budget.reserve({ input: 100, output: 0 });
    late.settle({ input: 0, output: 0 });
    expect(() => budget.reserve({ input: 1, output: 0 })).toThrow(/has 0 left/);
  });

  it('is never exceeded, whatever is reserved and settled within the reservation', () => {
    const use = fc.record({
      input: fc.nat(500),
      output: fc.nat(500),
      share: fc.double({ min: 0, max: 1, noNaN: true }),
    });
    fc.assert(
      fc.property(fc.array(use), fc.nat(5000), (uses, tokensPerDay) => {
        const budget = new DayBudget({ tokensPerDay: tokensPerDay + 1 }, noon);
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

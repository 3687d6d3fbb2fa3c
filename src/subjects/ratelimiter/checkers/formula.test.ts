import { expect, it } from 'vitest';
import type { Measures } from '../../../api/index.ts';
import { seenInvariant } from './formula.ts';

it('an invariant is shown with the figures of the measure that decides', () => {
  const measures = { drift: 7, requests: 9 };
  const seen = (bounds?: Measures['bounds'], brokenAt?: number) =>
    seenInvariant('a - b', {
      summary: '',
      watchedUntil: 0,
      shortfalls: [],
      evidence: [],
      measures,
      bounds,
      unit: '',
      ...(brokenAt !== undefined && { brokenAt }),
    });
  const formula = 'a - b <= bound';
  expect(seen({ requests: 3, drift: 0 }, 5)).toEqual({
    formula,
    broken: true,
    brokenAt: 5,
    values: [
      { name: 'a - b', value: 7 },
      { name: 'bound', value: 0 },
    ],
  });
  expect(seen()).toEqual({ formula, broken: false, values: [{ name: 'a - b', value: 7 }] });
});

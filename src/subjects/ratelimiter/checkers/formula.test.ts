import { expect, it } from 'vitest';
import type { InvariantReading } from '../../../engine/observed.ts';
import { seenInvariant } from './formula.ts';

it('an invariant is shown with the figures of the measure that decides', () => {
  const measure = { name: 'drift', value: 7, unit: 'requests' };
  const seen = (measures: InvariantReading['measures'], brokenAt?: number) =>
    seenInvariant('a - b', {
      summary: '',
      watchedUntil: 0,
      shortfalls: [],
      evidence: [],
      measures,
      ...(brokenAt !== undefined && { brokenAt }),
    });
  const formula = 'a - b <= bound';
  expect(seen([{ ...measure, bound: 0 }, measure], 5)).toEqual({
    formula,
    broken: true,
    brokenAt: 5,
    values: [
      { name: 'a - b', value: 7 },
      { name: 'bound', value: 0 },
    ],
  });
  expect(seen([measure])).toEqual({ formula, broken: false, values: [{ name: 'a - b', value: 7 }] });
});

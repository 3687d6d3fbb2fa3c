import fc from 'fast-check';
import { expect, it } from 'vitest';
import { overAfter } from './outage-seen.ts';

const LIMIT = 3;
const at = (...moments: number[]) => moments.map((endedAt) => ({ sentAt: endedAt - 1, endedAt }));
const excessOf = (some: readonly unknown[]): number => Math.max(0, some.length - LIMIT);

it('over-admission after the fault excludes that before it, and has its last moment', () => {
  expect(overAfter(at(1, 2, 3), at(12, 11), excessOf)).toEqual({ more: 2, lastAt: 12 });
  expect(overAfter(at(1, 2, 3, 4, 5), at(11), excessOf)).toEqual({ more: 1, lastAt: 11 });
});

it('is nothing where what came later was still admitted, or nothing came', () => {
  expect(overAfter(at(1, 2), at(11), excessOf)).toEqual({ more: 0 });
  expect(overAfter(at(1, 2, 3, 4), [], excessOf)).toEqual({ more: 0 });
});

it('over-admission after the fault ends with the last request over the limit', () => {
  const moments = fc.uniqueArray(fc.integer({ min: 11, max: 99 }), { minLength: 1, maxLength: 20 });
  fc.assert(
    fc.property(moments, fc.integer({ min: 0, max: 20 }), (since, admitted) => {
      const excess = (some: readonly unknown[]): number => Math.min(admitted, some.length);
      const expected = since.toSorted((a, b) => a - b)[Math.min(admitted, since.length) - 1];
      expect(overAfter([], at(...since), excess).lastAt).toBe(expected);
    }),
  );
});

import fc from 'fast-check';
import { expect, it } from 'vitest';
import { shareInterval } from './share-interval.ts';

it('holds the figures of the published formula', () => {
  const rounded = (count: number, of: number): number[] => {
    const { from, to } = shareInterval(count, of);
    return [Math.round(from * 1000) / 1000, Math.round(to * 1000) / 1000];
  };
  expect(rounded(123, 135)).toEqual([0.851, 0.948]);
  expect(rounded(0, 10)).toEqual([0, 0.278]);
  expect(rounded(10, 10)).toEqual([0.722, 1]);
});

it('holds the measured share, and narrows with more observations', () => {
  fc.assert(
    fc.property(fc.nat(1000), fc.integer({ min: 1, max: 1000 }), (some, of) => {
      const count = Math.min(some, of);
      const { from, to } = shareInterval(count, of);
      expect(from).toBeLessThanOrEqual(count / of + 1e-9);
      expect(to).toBeGreaterThanOrEqual(count / of - 1e-9);
      const more = shareInterval(10 * count, 10 * of);
      expect(more.to - more.from).toBeLessThan(to - from);
    }),
  );
});

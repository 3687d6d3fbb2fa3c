import { describe, expect, it } from 'vitest';
import { mean, median, quantile, spanOf } from './statistics.ts';

const hundred = Array.from({ length: 100 }, (_, i) => 100 - i);

describe('quantile', () => {
  it('is a value that was measured, whatever the order of the samples', () => {
    expect(quantile(hundred, 0.5)).toBe(50);
    expect(quantile(hundred, 0.99)).toBe(99);
    expect(quantile(hundred, 1)).toBe(100);
  });

  it('a high quantile of few samples is the highest of them', () => {
    expect(quantile([3, 1, 2], 0.99)).toBe(3);
    expect(quantile([7], 0.01)).toBe(7);
  });

  it('sorts by size and not by spelling', () => {
    expect(median([9, 100, 10])).toBe(10);
  });

  it('leaves the samples as they were', () => {
    const samples = [2, 1];
    quantile(samples, 0.5);
    expect(samples).toEqual([2, 1]);
  });

  it('of nothing, or for no share, is refused', () => {
    expect(() => quantile([], 0.5)).toThrow(RangeError);
    expect(() => quantile([1], 0)).toThrow(RangeError);
    expect(() => quantile([1], 1.1)).toThrow(RangeError);
    expect(() => quantile([1], Number.NaN)).toThrow(RangeError);
  });
});

describe('median', () => {
  it('is the lower one of two middle samples', () => {
    expect(median([4, 1, 3, 2])).toBe(2);
  });
});

describe('mean', () => {
  it('weighs every sample the same, and is refused without any', () => {
    expect(mean([1, 2, 6])).toBe(3);
    expect(() => mean([])).toThrow(RangeError);
  });
});

describe('spanOf', () => {
  it('is the time from the first moment to the last, in any order', () => {
    expect(spanOf([5, 2, 9])).toBe(7);
    expect(spanOf([5])).toBe(0);
    expect(() => spanOf([])).toThrow(RangeError);
  });
});

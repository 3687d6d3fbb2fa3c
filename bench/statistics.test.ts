import { describe, expect, it } from 'vitest';
import { quantile } from './statistics.ts';

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
});

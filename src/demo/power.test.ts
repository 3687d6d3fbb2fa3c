import { expect, it } from 'vitest';
import { excludedAbove, trialsToExclude } from './power.ts';

it.each([
  [1, 95],
  [3, 64],
  [10, 26],
  [59, 5],
  [100, 3],
])('%i trials without a violation exclude one in more than %d % of them', (trials, percent) => {
  expect(excludedAbove(trials)).toBe(percent);
});

it('chooses as many trials as a share needs, and no more', () => {
  for (const percent of [3, 5, 10, 26, 50, 95]) {
    const trials = trialsToExclude(percent);
    // A violation in this share of trials escapes all of them once in twenty times, and more often with one fewer.
    const escapes = (n: number): number => (1 - percent / 100) ** n;
    expect(escapes(trials)).toBeLessThanOrEqual(0.05 + 1e-12);
    if (trials > 1) expect(escapes(trials - 1)).toBeGreaterThan(0.05);
  }
});

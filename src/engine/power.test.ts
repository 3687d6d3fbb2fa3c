import { expect, it } from 'vitest';
import { excludedAbove } from './power.ts';

it.each([
  [1, 95],
  [3, 64],
  [10, 26],
  [59, 5],
  [100, 3],
])('%i trials without a violation exclude one in more than %d % of them', (trials, percent) => {
  expect(excludedAbove(trials)).toBe(percent);
});

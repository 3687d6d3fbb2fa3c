import fc from 'fast-check';
import { expect, it } from 'vitest';
import { hasWindow } from './control-keys.ts';

const NOW = 1_765_108_800_000 + 7_000;

it.each([
  ['the number of the window', 'rl::29418480', 60_000, true],
  ['its start in seconds', 'domain_user_1765108800', 60_000, true],
  ['its end in milliseconds', 'x:1765108860000', 60_000, true],
  ['an earlier window', 'rl::29418470', 60_000, false],
  ['another number', 'rl:v2:1000', 60_000, false],
  ['no number', 'rl:', 60_000, false],
])('whether a name has the window by the clock, with %s', (_, name, windowMs, has) => {
  expect(hasWindow(name, NOW, windowMs)).toBe(has);
});

it('a name with a number by chance hardly ever has it', () => {
  const names = fc.integer({ min: 0, max: 10_000_000_000 }).map((number) => `rl:${number}`);
  const found = fc.sample(names, { numRuns: 10_000, seed: 1 }).filter((name) => hasWindow(name, NOW, 30_000));
  expect(found.length).toBeLessThan(10);
});

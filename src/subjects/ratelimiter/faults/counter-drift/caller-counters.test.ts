import { expect, it } from 'vitest';
import { lostCounts } from './caller-counters.ts';

it.each([
  ['exactly none where Redis holds as many as were let through', 30, 30, { value: 0 }],
  ['at least what is missing', 30, 20, { value: 10, atLeast: true }],
  ['at least none where Redis counts others, too', 30, 110, { value: 0, atLeast: true }],
])('tells lost counts: %s', (_, admitted, stored, expected) => {
  expect(lostCounts(admitted, stored)).toEqual({ name: 'lostCounts', unit: 'counts', ...expected });
});

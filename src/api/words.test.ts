import { expect, it } from 'vitest';
import { counted, withUnit } from './words.ts';

it('writes one of a thing in the singular', () => {
  expect([0, 1, 2].map((count) => counted(count, 'run'))).toEqual(['0 runs', '1 run', '2 runs']);
  expect([1, 2].map((value) => withUnit(value, 'requests'))).toEqual(['1 request', '2 requests']);
  expect([1, 2].map((value) => withUnit(value, 'ms'))).toEqual(['1 ms', '2 ms']);
});

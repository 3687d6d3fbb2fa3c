import { expect, it } from 'vitest';
import { tally } from './burst-report.ts';

it('counts what came of requests, and leaves out what did not come', () => {
  expect(tally({ admitted: [20], rejected: [0], errors: [0], timeouts: [0] })).toBe('20 admitted');
  expect(tally({ admitted: [20, 15], rejected: [0, 5], errors: [0, 0], timeouts: [0, 0] })).toBe(
    '20, 15 admitted, 0, 5 rejected',
  );
  expect(tally({ admitted: [0], rejected: [19], errors: [1], timeouts: [0] })).toBe(
    '0 admitted, 19 rejected, 1 error',
  );
  expect(tally({ admitted: [0], rejected: [0], errors: [0], timeouts: [3] })).toBe('0 admitted, 3 timeouts');
});

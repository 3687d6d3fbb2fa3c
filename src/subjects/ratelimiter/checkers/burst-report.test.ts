import { expect, it } from 'vitest';
import { tally } from './burst-report.ts';

it('counts what came of requests, and leaves out what did not come', () => {
  expect(tally({ allowed: [20], denied: [0], errors: [0], unanswered: [0] })).toBe('20 allowed');
  expect(tally({ allowed: [20, 15], denied: [0, 5], errors: [0, 0], unanswered: [0, 0] })).toBe(
    '20, 15 allowed, 0, 5 denied',
  );
  expect(tally({ allowed: [0], denied: [19], errors: [1], unanswered: [0] })).toBe(
    '0 allowed, 19 denied, 1 error',
  );
  expect(tally({ allowed: [0], denied: [0], errors: [0], unanswered: [3] })).toBe('0 allowed, 3 unanswered');
});

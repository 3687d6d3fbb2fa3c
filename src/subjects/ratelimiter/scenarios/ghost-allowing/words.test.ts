import { expect, it } from 'vitest';
import type { BurstResult } from '../../../checkers/burst-result.ts';
import type { Trial } from '../../checkers/bursts.ts';
import { reportOf } from './words.ts';

const T = 1_000_000;

/** The `i`-th burst, of 20 requests, where the limit is 10. */
function trial(i: number, admitted: number, change: Partial<BurstResult> = {}): Trial {
  const startedAt = T + 500 * i;
  const endedAt = startedAt + 20;
  const burst: BurstResult = {
    requests: 20,
    admitted,
    rejected: 20 - admitted,
    errors: 0,
    timeouts: 0,
    startedAt,
    endedAt,
    sendSpanMs: 1,
    sent: new Map(),
    admittedBy: new Map(),
    admittedAt: [],
    outcomes: [],
    ...change,
  };
  const excess = Math.max(0, admitted - 10);
  const over = { excess, admitted, bound: 10, from: startedAt, to: endedAt };
  return { burst, judgedAt: endedAt + 10, bound: 10, over };
}

const proofOf = (...trials: Trial[]) => reportOf(trials, 2).proof;

it('bursts of concurrent requests with proper answers are one confirmed fault', () => {
  const confirmed = { proof: 'Confirmed', startedAt: T, endedAt: T + 520 };
  expect(reportOf([trial(0, 20), trial(1, 20)], 2)).toMatchObject(confirmed);
  expect(proofOf(trial(0, 10, { sendSpanMs: 100.1 }))).toBe('Inconclusive');
  expect(() => reportOf([], 2)).toThrow(RangeError);
});

it('a burst that proves nothing leaves all unconfirmed, unless one is violated', () => {
  const lost = { timeouts: 1, firstError: 'a: silent' };
  expect(proofOf(trial(0, 10), trial(1, 10, lost))).toBe('Inconclusive');
  expect(proofOf(trial(0, 20), trial(1, 10, lost))).toBe('Confirmed');
  expect(proofOf(trial(0, 10), trial(1, 20, lost))).toBe('Inconclusive');
});

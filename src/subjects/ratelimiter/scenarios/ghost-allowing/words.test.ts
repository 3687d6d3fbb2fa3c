import { expect, it } from 'vitest';
import { type Figures, sentencesOf } from '../../../../../test/fixtures/subjects/sentences.ts';
import type { BurstResult } from '../../../checkers/burst-result.ts';
import type { CodeOf } from '../../../checkers/checker.ts';
import type { COMMON } from '../../../scenarios/words.ts';
import type { BURST_CHECKERS, Trial, TrialCode } from '../../checkers/bursts.ts';
import { burstWords, reportOf } from './words.ts';

type BurstCode = Exclude<CodeOf<(typeof BURST_CHECKERS)[number]> | TrialCode, { code: keyof typeof COMMON }>;

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
  const times = { from: startedAt, to: endedAt, exceededAt: undefined };
  const over = { excess, admitted, bound: 10, promised: 10, ...times };
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

const late = trial(1, 10, { sendSpanMs: 150 });
const FIGURES: Readonly<Record<BurstCode['code'], Figures>> = {
  Burst: { burst: trial(0, 20, { admittedBy: new Map([['api-0', 20]]) }).burst },
  BurstBound: { bound: 10 },
  BurstOverLimit: trial(0, 20),
  BurstTooSmall: { bound: 30, requests: 20, tookMs: 200 },
  EachTrial: { trials: [trial(0, 20), late] },
  InTrial: { found: { code: 'BurstBound', bound: 10 }, planned: 3, trial: 2 },
  LimitNotReached: [true, false].map((isOneCaller) => ({ admitted: 9, full: 10, isOneCaller })),
  PodsSpared: { pods: ['api-0', 'api-1'] },
  Trials: { admitted: 20, bound: 10, atLeast: true, trials: 3, violated: 2 },
  TrialsMissing: { planned: 3, stopped: 'the window ended', trials: 1 },
  Unanswered: { open: 2, requests: 20 },
  WindowMayHaveEnded: [false, true].map((isAnytime) => ({ admitted: 20, full: 10, isAnytime })),
};

it('every sentence about bursts', () => {
  expect(sentencesOf(burstWords, FIGURES)).toMatchSnapshot('findings');
  const lost = trial(0, 10, { timeouts: 1, firstError: 'api-0 sent no response' });
  const reports = [[trial(0, 20)], [trial(0, 20), trial(1, 10)], [late], [trial(0, 20), lost]];
  expect(reports.map((trials) => reportOf(trials, 2).message)).toMatchSnapshot('faults');
});

/** Every sentence about counter drift. Its reasons and figures are asserted next to what finds them. */
import { expect, it } from 'vitest';
import { type Figures, sentencesOf } from '../../../../../test/fixtures/subjects/sentences.ts';
import type { CodeOf } from '../../../checkers/checker.ts';
import type { COMMON } from '../../../scenarios/words.ts';
import type { DRIFT_CHECKERS } from '../../checkers/drift.ts';
import { driftWords } from './words.ts';

type DriftCode = Exclude<CodeOf<(typeof DRIFT_CHECKERS)[number]>['code'], keyof typeof COMMON>;

const byPod = new Map([
  ['api-0', 12],
  ['api-1', 18],
]);

const FIGURES: Readonly<Record<DriftCode | 'FaultDoubtful', Figures>> = {
  Admitted: { admitted: 30, limit: 10, atLeast: true },
  AdmittedInFault: { admitted: 30, byPod, limit: 10 },
  Bound: [{ lag: 2, tolerance: 4 }, { tolerance: 4 }],
  Control: { admitted: 10, limit: 10, sent: 30 },
  CountsDiffer: { recorded: 30, sampled: 29 },
  Drift: { bound: 6, drift: 30, atLeast: true },
  FaultDoubtful: { ms: 800 },
  LagUnknown: {},
  NoControl: {},
  NothingAdmitted: {},
  NotOfFault: [
    { at: 900, drift: 9 },
    { at: 900, drift: 9, startedAt: 1000 },
    { at: 5000, drift: 9, startedAt: 1000, endedAt: 4000 },
  ],
  OpenRequests: { requests: 3 },
  Outcomes: { admitted: 6, errors: 2, limit: 10, rejected: 2, requests: 10 },
  SampleGap: { gapMs: 1200, problem: 'Redis sent no reply' },
  Samples: { gapMs: 120, incomplete: 2, samples: 40 },
  TooFewChecks: { have: 3, need: 10, pod: 'api-0' },
  TooFewSamples: [true, false].map((isEndKnown) => ({ isEndKnown, samples: 1 })),
  Traffic: { admitted: 30, answered: byPod, others: 1, requests: 40, timeouts: 1 },
  Unconfirmed: {},
  Widest: { admitted: Object.fromEntries(byPod), drift: 30, readAt: 2200, startedAt: 1000, stored: 0 },
  WindowLeft: {},
};

it('every sentence about counter drift', () => {
  expect(sentencesOf(driftWords, FIGURES)).toMatchSnapshot();
});

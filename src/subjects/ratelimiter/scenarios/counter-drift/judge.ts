/** How the history of counter drift is judged. Pure. */

import { sumOf } from '../../../history/counts.ts';
import { composed, type JudgedBy, summariesOf } from '../../../scenarios/judge.ts';
import { DRIFT_CHECKERS, underCounted } from '../../checkers/drift.ts';
import {
  admittedBySender,
  type DriftSeen,
  type DriftSetup,
  driftFold,
  isComplete,
  watchedUntil,
} from '../../checkers/drift-seen.ts';
import type { Setup } from '../../history/setup.ts';
import { DriftPlan } from './plan.ts';
import { driftWords } from './words.ts';

export const judgedDrift: JudgedBy<DriftSetup, DriftSeen> = {
  checkers: DRIFT_CHECKERS,
  fold: driftFold,
  words: driftWords,
  setup(setup: Setup) {
    const { baseline, limiter, scenario } = setup;
    const { limit, settleMs, tolerance } = new DriftPlan(scenario, limiter);
    const control = baseline?.denying;
    return { ...setup, limit: limit.requests, tolerance, lag: baseline?.lag, settleMs, control };
  },
  read: (seen, findings) => ({
    ...composed(findings),
    summary: summariesOf(findings, driftWords, 'drift', 'traffic').join('; '),
    watchedUntil: watchedUntil(seen),
    complete: isComplete(seen),
  }),
  // A request rarely changes the reading.
  changes: ({ kind }) => kind === 'fault' || kind === 'count',
  isDetected: ({ broken }) => broken !== undefined,
  effects({ history, state }) {
    const rest = history.last('rest');
    if (!rest) return [];
    return [underCounted(sumOf(admittedBySender(state).values()), rest.stored)];
  },
};

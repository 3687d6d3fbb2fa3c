/** How the history of bursts is judged, by the admissions of the sender. Pure. */

import { composed, type JudgedBy, summariesOf } from '../../../scenarios/judge.ts';
import { BURST_CHECKERS, type BurstSetup, type BurstsSeen, burstFold } from '../../checkers/bursts.ts';
import type { Setup } from '../../history/setup.ts';
import { BurstPlan } from './plan.ts';
import { burstWords } from './words.ts';

export const judgedBursts: JudgedBy<BurstSetup, BurstsSeen> = {
  checkers: BURST_CHECKERS,
  fold: burstFold,
  words: burstWords,
  setup(setup: Setup) {
    const { isOneCaller, limit, parameters } = new BurstPlan(setup.scenario, setup.limiter);
    return { ...setup, limit, isOneCaller, planned: parameters.trials };
  },
  /** Undefined before the first burst. Final once all were sent. */
  read({ trials: { length: trials } }, findings) {
    if (trials === 0) return undefined;
    const reading = composed(findings);
    return {
      ...reading,
      summary: summariesOf(findings, burstWords, 'bursts').join(),
      ...(reading.detectedAt !== undefined && { provenAlone: true }),
      // No samples follow: the sender's count is final.
      watchedUntil: Number.MAX_SAFE_INTEGER,
      complete: true,
      trials,
    };
  },
  // Each burst changes it, but trials are reported together, when all were sent.
  changes: ({ kind }, { trials }) => kind === 'fault' && trials.length > 0,
};

/**
 * Counter drift: writes to Redis stall while the pods continue, and their admissions drift from the counts in Redis.
 */
import { totalAdmitted } from '../../../history/counter-sample.ts';
import type { History } from '../../../history/history.ts';
import { composed, summariesOf } from '../../../scenarios/judge.ts';
import { createFault } from '../../../scenarios/store-fault.ts';
import { Timeline } from '../../../scenarios/timeline.ts';
import {
  admittedBySender,
  DRIFT_CHECKERS,
  type DriftSeen,
  driftFold,
  isComplete,
  underCounted,
  watchedUntil,
} from '../../checkers/drift.ts';
import { seenInvariant } from '../../checkers/formula.ts';
import type { Setup } from '../../history/setup.ts';
import type { RateLimiterSpec } from '../../spec/schema.ts';
import { type LimiterType, ofLimiter } from '../limiter-plan.ts';
import { api, DriftPlan } from './plan.ts';
import { driftWords } from './words.ts';
import { DriftWorkload } from './workload.ts';

export const counterDrift: LimiterType<DriftSeen, DriftPlan> = {
  ...ofLimiter,
  api,
  plan: (scenario, limiter: RateLimiterSpec) => new DriftPlan(scenario, limiter, api),
  fault: (plan, toolkit, fixture) => createFault(toolkit, plan, fixture),
  workload: (plan, toolkit) => new DriftWorkload(plan, toolkit),
  checkers: DRIFT_CHECKERS,
  fold: driftFold,
  words: driftWords,
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
    if (!rest) return {};
    return underCounted(totalAdmitted({ admitted: admittedBySender(state) }), rest.stored);
  },
  evidence({ events, setup, times }: History<Setup>, judge) {
    const { baseline, limiter, preparedAt } = setup;
    const timeline = new Timeline(setup);
    timeline.limit(preparedAt, limiter.limit.requests);
    if (baseline) {
      timeline.usualWrites(preparedAt, [baseline.writeP50Ms, baseline.writeMaxMs]);
      if (baseline.lag !== undefined) timeline.lag(preparedAt, baseline.lag);
    }
    for (const event of events) timeline.show(event);
    return timeline.evidence(times, seenInvariant('sum(requests-admitted) - count-stored', judge.reading()));
  },
};

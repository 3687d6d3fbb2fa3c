/**
 * Counter drift: writes to Redis stall while the pods continue, and their admissions drift from the counts in Redis.
 */

import { Judge } from '../../../scenarios/judge.ts';
import { createFault } from '../../../scenarios/store-fault.ts';
import type { DriftSeen } from '../../checkers/drift-seen.ts';
import type { RateLimiterSpec } from '../../spec/schema.ts';
import { type LimiterType, ofLimiter } from '../limiter-plan.ts';
import { driftEvidence } from './evidence.ts';
import { judgedDrift } from './judge.ts';
import { api } from './parameters.ts';
import { DriftPlan } from './plan.ts';
import { DriftWorkload } from './workload.ts';

export const counterDrift: LimiterType<DriftSeen, DriftPlan> = {
  ...ofLimiter,
  api,
  title: 'Counter Drift',
  plan: (scenario, limiter: RateLimiterSpec) => new DriftPlan(scenario, limiter),
  judge: (history, onFailure) => new Judge(history, judgedDrift, onFailure),
  evidence: driftEvidence,
  fault: (plan, toolkit, fixture) => createFault(toolkit, plan, fixture),
  workload: (plan, toolkit) => new DriftWorkload(plan, toolkit),
};

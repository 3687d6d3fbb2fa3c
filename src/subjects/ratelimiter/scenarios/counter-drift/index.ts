/**
 * Counter drift: writes to Redis stall while the pods continue, and their admissions drift from the counts in Redis.
 */
import type { DriftSeen } from '../../checkers/drift-seen.ts';
import { Judge } from '../judge.ts';
import type { ScenarioType } from '../scenario-type.ts';
import { createFault } from '../store-fault.ts';
import { driftEvidence } from './evidence.ts';
import { judgedDrift } from './judge.ts';
import { api } from './parameters.ts';
import { DriftPlan } from './plan.ts';
import { DriftWorkload } from './workload.ts';

export const counterDrift: ScenarioType<DriftSeen, DriftPlan> = {
  api,
  title: 'Counter Drift',
  plan: (scenario, limiter) => new DriftPlan(scenario, limiter),
  judge: (history, onFailure) => new Judge(history, judgedDrift, onFailure),
  evidence: driftEvidence,
  fault: (plan, toolkit, fixture) => createFault(toolkit, plan, fixture),
  workload: (plan, toolkit) => new DriftWorkload(plan, toolkit),
};

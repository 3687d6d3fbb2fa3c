/**
 * Counter drift: writes to Redis stall while the pods continue, and their admissions drift from the counts in Redis.
 */
import type { Mechanism } from '@chaosdemo/redis-faults';
import { formatDuration, parseDuration, type ScenarioSpec } from '../../../../api/index.ts';
import type { DriftSeen } from '../../checkers/drift-seen.ts';
import type { RateLimiterSpec } from '../../spec/schema.ts';
import { Judge } from '../judge.ts';
import type { ScenarioType } from '../scenario-type.ts';
import { createFault, mechanismIn } from '../store-fault.ts';
import { driftEvidence } from './evidence.ts';
import { judgedDrift } from './judge.ts';
import { api, parametersOf, storyMs, toleranceOf, unprovable } from './parameters.ts';
import { DriftWorkload } from './workload.ts';

export const counterDrift: ScenarioType<DriftSeen> = {
  api,
  truth: (scenario, limiter) => ({ anomalies: [mechanism(scenario, limiter).cause], at: 'store' }),
  title: 'Counter Drift',
  storyMs,
  plan(scenario, limiter) {
    const { fault, settle, requestsPerSecond } = parametersOf(scenario);
    const faultMs = parseDuration(fault.duration);
    return {
      faultMs,
      settleMs: parseDuration(settle),
      faultTitle: `${mechanism(scenario, limiter).title} for ${formatDuration(faultMs)}`,
      invariant: `the pods admit at most ${toleranceOf(scenario, limiter)} requests, plus the lag of the baseline, that Redis has not counted (at ${requestsPerSecond} requests a second)`,
    };
  },
  rate: (scenario) => parametersOf(scenario).requestsPerSecond,
  traffic: (scenario) => parametersOf(scenario).requestsPerSecond,
  unprovable,
  judge: (history, onFailure) => new Judge(history, judgedDrift, onFailure),
  evidence: driftEvidence,
  mechanism,
  fault: (toolkit, scenario, fixture) => createFault(toolkit, parametersOf(scenario).fault, { fixture }),
  workload: (scenario, toolkit) => new DriftWorkload(scenario, toolkit),
};

function mechanism(scenario: ScenarioSpec, limiter: Pick<RateLimiterSpec, 'redis'>): Mechanism {
  return mechanismIn(parametersOf(scenario).fault, limiter);
}

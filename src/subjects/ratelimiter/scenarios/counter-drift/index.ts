/**
 * Counter drift: writes to Redis stall while the pods continue, and their admissions drift from the counts in Redis.
 */
import { formatDuration, parseDuration } from '../../../../api/index.ts';
import { FAULTS } from '../../../redis/faults/index.ts';
import type { ScenarioType } from '../scenario-type.ts';
import { driftEvidence } from './evidence.ts';
import { DriftJudge } from './judge.ts';
import { api, parametersOf, storyMs, toleranceOf, unprovable } from './parameters.ts';
import { DriftWorkload } from './workload.ts';

export const counterDrift: ScenarioType<DriftJudge> = {
  api,
  truth: () => ({ anomalies: ['store-writes-stalled'], at: 'store' }),
  title: 'Counter Drift',
  storyMs,
  plan(scenario, limiter) {
    const { pause, settle, requestsPerSecond } = parametersOf(scenario);
    const faultMs = parseDuration(pause);
    return {
      faultMs,
      settleMs: parseDuration(settle),
      faultTitle: `Redis stops taking writes for ${formatDuration(faultMs)}`,
      invariant: `the pods admit at most ${toleranceOf(scenario, limiter)} requests, plus the lag of the baseline, that Redis has not counted (at ${requestsPerSecond} requests a second)`,
    };
  },
  rate: (scenario) => parametersOf(scenario).requestsPerSecond,
  traffic: (scenario) => parametersOf(scenario).requestsPerSecond,
  unprovable,
  judge: (history) => new DriftJudge(history),
  evidence: driftEvidence,
  fault: FAULTS.Stall,
  workload: (scenario, toolkit) => new DriftWorkload(scenario, toolkit),
};

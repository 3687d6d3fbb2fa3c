/** Exclusion: contenders acquire and release locks while Redis fails. */
import { seenFold } from '../../../checkers/seen.ts';
import { keyPlaces } from '../../../redis/key-places.ts';
import { type CodedReading, type Findings, proven, summariesOf } from '../../../scenarios/judge.ts';
import type { ScenarioType } from '../../../scenarios/scenario-type.ts';
import { createFault } from '../../../scenarios/store-fault.ts';
import { drawRequests } from '../../../scenarios/timeline.ts';
import type { LockSeen } from '../../checkers/holds.ts';
import { LOCK_CHECKERS, returnIn } from '../../checkers/index.ts';
import type { Toolkit } from '../../controls/control-lock.ts';
import type { Setup } from '../../history/setup.ts';
import type { LockSpec } from '../../spec/schema.ts';
import { api, ExclusionPlan } from './plan.ts';
import { lockWords } from './words.ts';
import { ExclusionWorkload } from './workload.ts';

function judgeExclusion(seen: LockSeen, findings: Findings): CodedReading {
  // More holders than slots depend on nothing else: not on the fault, nor on what could not be timed.
  const alone = ['exclusion', 'fencing'].some((name) => findings.get(name)?.isBroken);
  const summary = summariesOf(findings, lockWords, 'service', 'exclusion', 'fencing', 'slotsReturn', 'price');
  return {
    ...proven(seen, findings, alone).reading,
    complete: returnIn(seen) !== undefined,
    summary: summary.join('; ') || 'not judged yet',
  };
}

export const exclusion: ScenarioType<LockSeen, ExclusionPlan, Toolkit, Setup> = {
  api,
  // A lock keeps no counts, which is what profiles explain.
  isExplained: false,
  plan: (scenario, lock: LockSpec) => new ExclusionPlan(scenario, lock, api),
  checkers: LOCK_CHECKERS,
  fold: seenFold,
  words: lockWords,
  read: judgeExclusion,
  evidence: (history) => drawRequests(history, 'Acquire'),
  changes: (event) => event.kind === 'ended' || (event.kind === 'fault' && event.step === 'Reported'),
  setup: (plan) => ({ lock: plan.part }),
  partIn: ({ lock }) => lock,
  fault: (plan, toolkit, fixture) =>
    createFault(toolkit, plan, fixture, () => keyPlaces(plan.part.redis.key, plan.keysOf(fixture()))),
  workload: (plan, toolkit) => new ExclusionWorkload(plan, toolkit),
};

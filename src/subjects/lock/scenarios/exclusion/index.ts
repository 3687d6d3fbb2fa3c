/** Exclusion: contenders acquire and release locks while Redis fails. */
import { seenFold } from '../../../checkers/seen.ts';
import { keyPlaces } from '../../../redis/key-places.ts';
import {
  type CodedReading,
  type Findings,
  type JudgedBy,
  proven,
  summariesOf,
} from '../../../scenarios/judge.ts';
import type { ScenarioType } from '../../../scenarios/scenario-type.ts';
import { createFault } from '../../../scenarios/store-fault.ts';
import { drawRequests } from '../../../scenarios/timeline.ts';
import type { LockSeen, LockSetup } from '../../checkers/holds.ts';
import { LOCK_CHECKERS, returnIn } from '../../checkers/index.ts';
import type { Toolkit } from '../../controls/control-lock.ts';
import type { Setup } from '../../history/setup.ts';
import type { LockSpec } from '../../spec/schema.ts';
import { api, ExclusionPlan } from './plan.ts';
import { lockWords } from './words.ts';
import { ExclusionWorkload } from './workload.ts';

export const judgedExclusion: JudgedBy<LockSetup, LockSeen> = {
  checkers: LOCK_CHECKERS,
  fold: seenFold,
  words: lockWords,
  setup(setup: Setup) {
    const plan = new ExclusionPlan(setup.scenario, setup.lock);
    const { callerTimeoutMs, parameters, part, recoverMs, ttlMs } = plan;
    const isFenced = part.acquire.fencing !== undefined;
    const of = { slots: part.slots, ttlMs, isFenced, callerTimeoutMs, recoverMs, accept: parameters.accept };
    const record = { lastsMs: plan.lingerMs, endsEarly: plan.failsOver, keys: plan.keysOf(setup.fixture) };
    return { ...setup, ...record, ...of };
  },
  read: judgeExclusion,
  evidence: (history) => drawRequests(history, 'Acquire'),
  changes: (event) => event.kind === 'ended' || (event.kind === 'fault' && event.step === 'Reported'),
};

function judgeExclusion(seen: LockSeen, findings: Findings): CodedReading {
  // More holders than slots depend on nothing else: not on the fault, nor on what could not be timed.
  const alone = ['exclusion', 'fencing'].some((name) => findings.get(name)?.isBroken);
  const summary = summariesOf(findings, lockWords, 'service', 'exclusion', 'fencing', 'slotsReturn');
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
  plan: (scenario, lock: LockSpec) => new ExclusionPlan(scenario, lock),
  judged: judgedExclusion,
  setup: (plan) => ({ lock: plan.part }),
  partIn: ({ lock }) => lock,
  fault: (plan, toolkit, fixture) =>
    createFault(toolkit, plan, fixture, () => keyPlaces(plan.part.redis.key, plan.keysOf(fixture()))),
  workload: (plan, toolkit) => new ExclusionWorkload(plan, toolkit),
};

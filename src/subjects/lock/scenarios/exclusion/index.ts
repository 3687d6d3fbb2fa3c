/** Exclusion: contenders acquire and release locks while Redis fails. */
import { keyPlaces } from '../../../redis/key-places.ts';
import { Judge } from '../../../scenarios/judge.ts';
import type { ScenarioType } from '../../../scenarios/scenario-type.ts';
import { seedOf } from '../../../scenarios/seed.ts';
import { createFault } from '../../../scenarios/store-fault.ts';
import { drawRequests } from '../../../scenarios/timeline.ts';
import type { LockSeen } from '../../checkers/holds.ts';
import type { Toolkit } from '../../controls/control-lock.ts';
import type { Setup } from '../../history/setup.ts';
import type { LockSpec } from '../../spec/schema.ts';
import { judgedExclusion } from './judge.ts';
import { api } from './parameters.ts';
import { ExclusionPlan } from './plan.ts';
import { ExclusionWorkload } from './workload.ts';

export const exclusion: ScenarioType<LockSeen, ExclusionPlan, Toolkit, Setup> = {
  api,
  title: 'Exclusion',
  // A lock keeps no counts, which is what profiles explain.
  isExplained: false,
  plan: (scenario, lock: LockSpec) => new ExclusionPlan(scenario, lock),
  judge: (history, onFailure) => new Judge(history, judgedExclusion, onFailure),
  setup: (plan, _, fixture) => ({ lock: plan.part, seed: seedOf(fixture) }),
  partIn: ({ lock }) => lock,
  evidence: (history) => drawRequests(history, 'Acquire'),
  fault: (plan, toolkit, fixture) =>
    createFault(toolkit, plan, fixture, () => keyPlaces(plan.part.redis.key, plan.keysOf(fixture()))),
  workload: (plan, toolkit) => new ExclusionWorkload(plan, toolkit),
};

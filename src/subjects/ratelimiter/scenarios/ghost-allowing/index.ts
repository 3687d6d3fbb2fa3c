/** Over-admission under concurrency: bursts over the limit go to all pods at once. */
import type { BurstsSeen } from '../../checkers/bursts.ts';
import { Judge } from '../judge.ts';
import type { ScenarioType } from '../scenario-type.ts';
import { burstEvidence } from './evidence.ts';
import { judgedBursts } from './judge.ts';
import { api } from './parameters.ts';
import { BurstPlan } from './plan.ts';
import { BurstWorkload } from './workload.ts';

export const ghostAllowing: ScenarioType<BurstsSeen, BurstPlan> = {
  api,
  title: 'Ghost Allowing',
  plan: (scenario, limiter) => new BurstPlan(scenario, limiter),
  judge: (history, onFailure) => new Judge(history, judgedBursts, onFailure),
  evidence: burstEvidence,
  workload: (plan, toolkit) => new BurstWorkload(plan, toolkit),
};

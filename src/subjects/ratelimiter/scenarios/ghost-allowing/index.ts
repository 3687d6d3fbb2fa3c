/** Over-admission under concurrency: bursts over the limit go to all pods at once. */

import { Judge } from '../../../scenarios/judge.ts';
import type { BurstsSeen } from '../../checkers/bursts.ts';
import type { RateLimiterSpec } from '../../spec/schema.ts';
import { type LimiterType, ofLimiter } from '../limiter-plan.ts';
import { burstEvidence } from './evidence.ts';
import { judgedBursts } from './judge.ts';
import { api } from './parameters.ts';
import { BurstPlan } from './plan.ts';
import { BurstWorkload } from './workload.ts';

export const ghostAllowing: LimiterType<BurstsSeen, BurstPlan> = {
  ...ofLimiter,
  api,
  title: 'Ghost Allowing',
  plan: (scenario, limiter: RateLimiterSpec) => new BurstPlan(scenario, limiter),
  judge: (history, onFailure) => new Judge(history, judgedBursts, onFailure),
  evidence: burstEvidence,
  workload: (plan, toolkit) => new BurstWorkload(plan, toolkit),
};

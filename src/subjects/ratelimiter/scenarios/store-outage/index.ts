/** Store outage: Redis stalls or is gone, and callers continue. */

import { Judge } from '../../../scenarios/judge.ts';
import { createFault } from '../../../scenarios/store-fault.ts';
import type { OutageSeen } from '../../checkers/outage-seen.ts';
import type { RateLimiterSpec } from '../../spec/schema.ts';
import { type LimiterType, ofLimiter } from '../limiter-plan.ts';
import { outageEvidence } from './evidence.ts';
import { judgedOutage } from './judge.ts';
import { api } from './parameters.ts';
import { OutagePlan } from './plan.ts';
import { notAsDrawn } from './sent-as-drawn.ts';
import { OutageWorkload } from './workload.ts';

export const storeOutage: LimiterType<OutageSeen, OutagePlan> = {
  ...ofLimiter,
  api,
  title: 'Store Outage',
  plan: (scenario, limiter: RateLimiterSpec) => new OutagePlan(scenario, limiter),
  judge: (history, onFailure) => new Judge(history, judgedOutage, onFailure),
  impossible: notAsDrawn,
  evidence: outageEvidence,
  fault: (plan, toolkit, fixture) =>
    createFault(toolkit, plan, fixture, () => plan.lostCounts(toolkit, fixture())),
  workload: (plan, toolkit) => new OutageWorkload(plan, toolkit),
};

/** Store outage: Redis stalls or is gone, and callers continue. */
import type { OutageSeen } from '../../checkers/outage-seen.ts';
import { Judge } from '../judge.ts';
import type { ScenarioType } from '../scenario-type.ts';
import { createFault } from '../store-fault.ts';
import { outageEvidence } from './evidence.ts';
import { judgedOutage } from './judge.ts';
import { api } from './parameters.ts';
import { OutagePlan } from './plan.ts';
import { notAsDrawn } from './sent-as-drawn.ts';
import { OutageWorkload } from './workload.ts';

export const storeOutage: ScenarioType<OutageSeen, OutagePlan> = {
  api,
  title: 'Store Outage',
  plan: (scenario, limiter) => new OutagePlan(scenario, limiter),
  judge: (history, onFailure) => new Judge(history, judgedOutage, onFailure),
  impossible: notAsDrawn,
  evidence: outageEvidence,
  fault: (plan, toolkit, fixture) =>
    createFault(toolkit, plan, fixture, () => plan.lostCounts(toolkit, fixture())),
  workload: (plan, toolkit) => new OutageWorkload(plan, toolkit),
};

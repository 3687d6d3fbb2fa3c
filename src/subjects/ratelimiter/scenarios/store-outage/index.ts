/** Store outage: Redis stalls or is gone, and callers continue. */
import type { Mechanism } from '@chaosdemo/redis-faults';
import { formatDuration, parseDuration, type ScenarioSpec } from '../../../../api/index.ts';
import type { OutageSeen } from '../../checkers/outage-seen.ts';
import type { RateLimiterSpec } from '../../spec/schema.ts';
import { Judge } from '../judge.ts';
import type { ScenarioType } from '../scenario-type.ts';
import { createFault, mechanismIn, proxyUnprovable } from '../store-fault.ts';
import { outageEvidence } from './evidence.ts';
import { failoverUnprovable } from './failover.ts';
import { judgedOutage } from './judge.ts';
import { lossUnprovable, lostCounts } from './lost-callers.ts';
import {
  api,
  faultStoryMs,
  lingerMs,
  mostWatchMs,
  parametersOf,
  trafficTo,
  unprovable,
} from './parameters.ts';
import { notAsDrawn } from './sent-as-drawn.ts';
import { OutageWorkload } from './workload.ts';

/** Behaviours with more admissions than the limit. */
const ADMITS_MORE = ['FailsOpen', 'Forgets'] as const;

export const storeOutage: ScenarioType<OutageSeen> = {
  api,
  truth(scenario, limiter) {
    const { cause, causeBySentinel, lasts } = mechanism(scenario, limiter);
    const isOfBoth = limiter.redis.sentinel !== undefined && causeBySentinel !== undefined;
    const anomalies = isOfBoth ? [cause, causeBySentinel] : [cause];
    return { anomalies, at: 'store', ...(lasts === 'ForGood' && { stays: true }) };
  },
  title: 'Store Outage',
  storyMs: faultStoryMs,
  plan(scenario, limiter) {
    const { accept, fault, settle } = parametersOf(scenario);
    const faultMs = parseDuration(fault.duration);
    return {
      faultMs,
      settleMs: mostWatchMs(scenario, limiter),
      faultTitle: `${mechanism(scenario, limiter).title}${continuing(mechanism(scenario, limiter), formatDuration(faultMs))}`,
      invariant: `callers get nothing but ${accept.join(' or ')}${ADMITS_MORE.some((behaviour) => accept.includes(behaviour)) ? '' : ', and no more than the limit'}; within ${settle} after it they are treated as before, and they get their limit back`,
    };
  },
  cooldownsToPrepare: 2,
  unprovable: (scenario, limiter, pods) =>
    failoverUnprovable(scenario, limiter) ??
    lossUnprovable(scenario, limiter, pods) ??
    proxyUnprovable(parametersOf(scenario).fault, limiter, {
      name: scenario.name,
      field: 'storeOutage.fault',
      lingerMs: lingerMs(scenario, limiter),
    }) ??
    unprovable(scenario, limiter, pods),
  traffic: trafficTo,
  mechanism,
  lingerMs,
  judge: (history, onFailure) => new Judge(history, judgedOutage, onFailure),
  impossible: notAsDrawn,
  evidence: outageEvidence,
  fault: (toolkit, scenario, fixture) =>
    createFault(toolkit, parametersOf(scenario).fault, {
      fixture,
      lingerMs: lingerMs(scenario, toolkit.limiter),
      counts: () => lostCounts(scenario, toolkit, fixture()),
    }),
  workload: (scenario, toolkit) => new OutageWorkload(scenario, toolkit),
};

function mechanism(scenario: ScenarioSpec, limiter: Pick<RateLimiterSpec, 'redis'>): Mechanism {
  return mechanismIn(parametersOf(scenario).fault, limiter);
}

/** How the title of a fault continues. */
function continuing({ lasts }: Mechanism, duration: string): string {
  if (lasts === 'Moment') return `, and callers continue for ${duration}`;
  return `${lasts === 'ForGood' ? ' within' : ' for'} ${duration}, and callers continue`;
}

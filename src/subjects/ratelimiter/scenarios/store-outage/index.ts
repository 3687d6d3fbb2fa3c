/** Store outage: Redis stalls or is gone, and callers continue. */
import { formatDuration, parseDuration, type ScenarioSpec } from '../../../../api/index.ts';
import type { CountPlace } from '../../../redis/client/count-place.ts';
import { FAULTS } from '../../../redis/faults/index.ts';
import { accountKey, crossingKey, newKey, overKey, underKeys } from '../caller-keys.ts';
import type { ScenarioType } from '../scenario-type.ts';
import type { FaultTruth } from '../truth.ts';
import { MOST_CROSSING } from './crossing-callers.ts';
import { outageEvidence } from './evidence.ts';
import { failoverUnprovable } from './failover.ts';
import { OutageJudge } from './judge.ts';
import { lossUnprovable, lostCounts } from './lost-callers.ts';
import { MOST_ACCOUNTS } from './outage-callers.ts';
import {
  api,
  DEFAULT_LATENCY,
  faultStoryMs,
  mostWatchMs,
  parametersOf,
  trafficTo,
  unprovable,
  watchedAfterMs,
} from './parameters.ts';
import { proxyUnprovable } from './proxied.ts';
import { OutageWorkload } from './workload.ts';

const TITLES = {
  Blackhole: 'Redis answers nothing',
  Break: 'Redis ends the connections of the pods, and writes stall',
  Failover: 'A replica of Redis becomes its primary',
  Latency: 'Redis answers late',
  Lose: 'Redis loses the counts of callers',
  Refuse: 'Redis refuses connections',
  Slow: 'Redis takes writes slowly',
  StaleMaster: 'Open connections to Redis answer READONLY',
  Stall: 'Redis stops taking writes',
} as const satisfies Record<keyof typeof FAULTS, string>;

/** What each fault is to a diagnosis. */
const CAUSES = {
  Blackhole: 'store-connections-broken',
  Break: 'store-connections-broken',
  Failover: 'store-connections-broken',
  Latency: 'store-slow',
  Lose: 'store-restarted',
  Refuse: 'store-connections-broken',
  Slow: 'store-writes-stalled',
  StaleMaster: 'store-connections-broken',
  Stall: 'store-writes-stalled',
} as const satisfies Record<keyof typeof FAULTS, FaultTruth['anomalies'][number]>;

/** Those that hold writes of Redis back. */
const PAUSING: ReadonlySet<string> = new Set<keyof typeof FAULTS>(['Break', 'Slow', 'Stall']);

/** Behaviours with more admissions than the limit. */
const ADMITS_MORE = ['FailsOpen', 'Forgets'] as const;

export const storeOutage: ScenarioType<OutageJudge> = {
  api,
  truth(scenario, { redis }) {
    const { type } = parametersOf(scenario).fault;
    if (type !== 'Failover') return { anomalies: [CAUSES[type]], at: 'store' };
    // By Sentinel, the new primary also has an older state. One limiter shows that, and another loses its connections.
    const anomalies = redis.sentinel ? [CAUSES.Failover, CAUSES.Lose] : [CAUSES.Failover];
    return { anomalies, at: 'store', stays: true };
  },
  optional: true,
  title: 'Store Outage',
  storyMs: faultStoryMs,
  plan(scenario, limiter) {
    const { accept, fault, settle } = parametersOf(scenario);
    const faultMs = parseDuration(fault.duration);
    return {
      faultMs,
      settleMs: mostWatchMs(scenario, limiter),
      faultTitle: `${TITLES[fault.type]}${continuing(fault.type, formatDuration(faultMs))}`,
      invariant: `callers get nothing but ${accept.join(' or ')}${ADMITS_MORE.some((behaviour) => accept.includes(behaviour)) ? '' : ', and no more than the limit'}; within ${settle} after it they are treated as before, and they get their limit back`,
    };
  },
  cooldownsToPrepare: 2,
  unprovable: (scenario, limiter, pods) =>
    failoverUnprovable(scenario, limiter) ??
    lossUnprovable(scenario, limiter, pods) ??
    proxyUnprovable(scenario, limiter) ??
    unprovable(scenario, limiter, pods),
  traffic: trafficTo,
  pauses: (scenario) => PAUSING.has(parametersOf(scenario).fault.type),
  isMomentary: (scenario) => parametersOf(scenario).fault.type === 'Lose',
  lingerMs,
  failsOver: (scenario) => parametersOf(scenario).fault.type === 'Failover',
  keysOf: callerKeys,
  judge: (history) => new OutageJudge(history),
  evidence: outageEvidence,
  fault(toolkit, scenario, fixture) {
    const { latency = DEFAULT_LATENCY, scripts = false, type } = parametersOf(scenario).fault;
    const counts = (): readonly CountPlace[] => lostCounts(scenario, toolkit, fixture());
    return FAULTS[type](toolkit, {
      latencyMs: parseDuration(latency),
      lingerMs: lingerMs(scenario),
      fixture,
      counts,
      scripts,
    });
  },
  workload: (scenario, toolkit) => new OutageWorkload(scenario, toolkit),
};

/** Stale connections stay while callers have to recover. */
function lingerMs(scenario: ScenarioSpec): number {
  return parametersOf(scenario).fault.type === 'StaleMaster' ? watchedAfterMs(scenario) : 0;
}

/** How the title of a fault continues. */
function continuing(type: keyof typeof FAULTS, duration: string): string {
  if (type === 'Lose') return `, and callers continue for ${duration}`;
  return `${type === 'Failover' ? ' within' : ' for'} ${duration}, and callers continue`;
}

/**
 * All callers of an attempt on the reference limiter: of those under the limit, one for the control and one for the
 * traffic.
 */
function callerKeys(fixture: string): string[] {
  const accounts = Array.from({ length: MOST_ACCOUNTS }, (_, i) => accountKey(fixture, i));
  const crossing = Array.from({ length: MOST_CROSSING }, (_, i) => crossingKey(fixture, i));
  return [overKey(fixture), newKey(fixture), ...crossing, ...accounts, ...underKeys(fixture, 0, 2)];
}

/** Store outage: Redis stalls or is gone, and callers continue. */
import { formatDuration, parseDuration } from '../../../../api/index.ts';
import { FAULTS } from '../../../redis/faults/index.ts';
import { accountKey, crossingKey, newKey, overKey, underKeys } from '../caller-keys.ts';
import type { ScenarioType } from '../scenario-type.ts';
import type { FaultTruth } from '../truth.ts';
import { MOST_CROSSING } from './crossing-callers.ts';
import { outageEvidence } from './evidence.ts';
import { OutageJudge } from './judge.ts';
import { MOST_ACCOUNTS } from './outage-callers.ts';
import { api, faultStoryMs, mostWatchMs, parametersOf, unprovable } from './parameters.ts';
import { OutageWorkload } from './workload.ts';

const TITLES = {
  Break: 'Redis ends the connections of the pods, and writes stall',
  Stall: 'Redis stops taking writes',
} as const;

/** What each fault is to a diagnosis. */
const CAUSES = {
  Break: 'store-connections-broken',
  Stall: 'store-writes-stalled',
} as const satisfies Record<keyof typeof FAULTS, FaultTruth['anomaly']>;

export const storeOutage: ScenarioType<OutageJudge> = {
  api,
  truth: (scenario) => ({ anomaly: CAUSES[parametersOf(scenario).fault.type], at: 'store' }),
  optional: true,
  title: 'Store Outage',
  storyMs: faultStoryMs,
  plan(scenario, limiter) {
    const { accept, fault, settle } = parametersOf(scenario);
    const faultMs = parseDuration(fault.duration);
    return {
      faultMs,
      settleMs: mostWatchMs(scenario, limiter),
      faultTitle: `${TITLES[fault.type]} for ${formatDuration(faultMs)}, and callers continue`,
      invariant: `callers get nothing but ${accept.join(' or ')}${accept.includes('FailsOpen') ? '' : ', and no more than the limit'}; within ${settle} after it they are treated as before, and they get their limit back`,
    };
  },
  cooldownsToPrepare: 2,
  unprovable,
  keysOf: callerKeys,
  judge: (history) => new OutageJudge(history),
  evidence: outageEvidence,
  fault: (toolkit, scenario) => FAULTS[parametersOf(scenario).fault.type](toolkit),
  workload: (scenario, toolkit) => new OutageWorkload(scenario, toolkit),
};

/**
 * All callers of an attempt on the reference limiter: of those under the limit, one for the control and one for the
 * traffic.
 */
function callerKeys(fixture: string): string[] {
  const accounts = Array.from({ length: MOST_ACCOUNTS }, (_, i) => accountKey(fixture, i));
  const crossing = Array.from({ length: MOST_CROSSING }, (_, i) => crossingKey(fixture, i));
  return [overKey(fixture), newKey(fixture), ...crossing, ...accounts, ...underKeys(fixture, 0, 2)];
}

/** Store outage: Redis takes no writes for a while, and callers get whatever they get. */
import { formatDuration, parseDuration } from '../../../../api/index.ts';
import { Stall } from '../../faults/stall/stall.ts';
import { accountKey, beyondKey, crossingKey, reachingKey, withinKeys } from '../caller-keys.ts';
import type { ScenarioType } from '../scenario-type.ts';
import { MOST_ACCOUNTS } from './account-callers.ts';
import { USUAL_CROSSING } from './crossing-callers.ts';
import { outageEvidence } from './evidence.ts';
import { OutageJudge } from './judge.ts';
import { api, faultStoryMs, mostWatchMs, parametersOf, unprovable } from './parameters.ts';
import { OutageWorkload } from './workload.ts';

export const storeOutage: ScenarioType<OutageJudge> = {
  api,
  truth: { anomaly: 'store-writes-stalled', at: 'store' },
  optional: true,
  chapters: [
    { title: 'Store Outage Chaos', stage: 'chaos' },
    { title: 'Store Outage Detection', stage: 'detection' },
    { title: 'Store Outage Diagnosis', stage: 'diagnosis' },
    { title: 'Recovery', stage: 'recovery', auto: true },
  ],
  storyMs: faultStoryMs,
  plan(scenario, limiter) {
    const { accept, pause } = parametersOf(scenario);
    const faultMs = parseDuration(pause);
    return {
      faultMs,
      settleMs: mostWatchMs(scenario, limiter),
      load: false,
      onOrphan: 'Inquire',
      faultTitle: `Redis stops taking writes for ${formatDuration(faultMs)}, and callers go on`,
      invariant: `callers get nothing but ${accept.join(' or ')}${accept.includes('FailsOpen') ? '' : ', and no more than the limit'}; then they are admitted as before, and get their limit back`,
    };
  },
  restsToPrepare: 2,
  unprovable,
  keysOf: callerKeys,
  judge: (history) => new OutageJudge(history),
  evidence: outageEvidence,
  fault: (toolkit) => new Stall(toolkit),
  workload: (scenario, toolkit, access) => new OutageWorkload(scenario, toolkit, access),
};

/** Of an attempt on a limiter that is told of its callers: one within its limit for the control, one for the traffic. */
function callerKeys(fixture: string): string[] {
  const accounts = Array.from({ length: MOST_ACCOUNTS }, (_, i) => accountKey(fixture, i));
  const crossing = Array.from({ length: USUAL_CROSSING }, (_, i) => crossingKey(fixture, i));
  return [beyondKey(fixture), reachingKey(fixture), ...crossing, ...accounts, ...withinKeys(fixture, 0, 2)];
}

/** Store outage: Redis takes no writes for a while, and callers get whatever they get. */
import { fieldInCel, formatDuration, ifDurations, parseDuration } from '../../../../api/index.ts';
import { accountKey, beyondKey, crossingKey, reachingKey, withinKeys } from '../caller-keys.ts';
import { type Fault, scenarioRule, WITH_KEYS } from '../fault.ts';
import { MOST_ACCOUNTS } from './account-callers.ts';
import { StoreOutageAttempt } from './attempt.ts';
import { USUAL_CROSSING } from './crossing-callers.ts';
import { OutageJudge } from './judge.ts';
import { api, mostWatchMs, parametersOf, unprovable } from './parameters.ts';

const [settle, callerTimeout] = (['settle', 'callerTimeout'] as const).map((field) =>
  fieldInCel(api.member, field, api.schema.parse({})[field]),
) as [string, string];

export const storeOutage: Fault = {
  api,
  rules: [
    {
      rule: scenarioRule(
        api,
        `(${ifDurations([settle, callerTimeout], `duration(${settle}) > duration(${callerTimeout})`)})`,
      ),
      message:
        'storeOutage.settle must be more than storeOutage.callerTimeout, so that the last callers have their answers when the watch ends',
    },
  ],
  releasable: true,
  truth: { anomaly: 'store-writes-stalled', at: 'store' },
  optional: true,
  chapters: [
    { title: 'Store Outage Chaos', stage: 'chaos' },
    { title: 'Store Outage Detection', stage: 'detection' },
    { title: 'Store Outage Diagnosis', stage: 'diagnosis' },
    { title: 'Recovery', stage: 'recovery', auto: true },
  ],
  windowMayEnd: WITH_KEYS,
  story: [
    { of: 'scenario', field: 'countdown' },
    { of: 'fault', field: 'pause' },
    { of: 'fault', field: 'settle' },
    { of: 'fault', field: 'callerTimeout' },
    { of: 'subject', field: 'health.timeout' },
  ],
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
  open: (scenario, toolkit, access) => new StoreOutageAttempt(scenario, toolkit, access),
};

/** Of an attempt on a limiter that is told of its callers: one within its limit for the control, one for the traffic. */
function callerKeys(fixture: string): string[] {
  const accounts = Array.from({ length: MOST_ACCOUNTS }, (_, i) => accountKey(fixture, i));
  const crossing = Array.from({ length: USUAL_CROSSING }, (_, i) => crossingKey(fixture, i));
  return [beyondKey(fixture), reachingKey(fixture), ...crossing, ...accounts, ...withinKeys(fixture, 0, 2)];
}

/**
 * Ghost allowing: a burst of more requests than the limit goes to all nodes at
 * once, and each may admit what the others have admitted already.
 */
import { parseDuration } from '../../../../api/index.ts';
import { trialKeys } from '../../checkers/burst-trials.ts';
import { limitOf } from '../../interfaces/http/limit-of-spec.ts';
import { admittedAtOnce } from '../../limits/rate-limit.ts';
import type { RateLimiterSpec } from '../../schema.ts';
import { BEHIND_HTTP, type Fault } from '../fault.ts';
import { isOfOneCaller } from '../rests.ts';
import { GhostAllowingAttempt } from './attempt.ts';
import { GhostJudge } from './judge.ts';
import { api, MOST_KEYS, parametersOf, rules, trialsMs, unprovable } from './parameters.ts';

export const ghostAllowing: Fault = {
  api,
  rules,
  // It is over before anybody could end it.
  releasable: false,
  // The requests break nothing: that replicas decide alone is what they bring to light.
  truth: { anomaly: 'uncoordinated-admission', at: 'replica' },
  chapters: [
    { title: 'Ghost Allowing Chaos', stage: 'chaos' },
    { title: 'Ghost Allowing Detection', stage: 'detection' },
    { title: 'Ghost Allowing Diagnosis', stage: 'diagnosis' },
  ],
  windowMayEnd: BEHIND_HTTP,
  // The burst itself may take as long as one request may.
  story: [
    { of: 'scenario', field: 'countdown' },
    { of: 'subject', field: 'health.timeout' },
    { of: 'fault', field: 'settle' },
    { of: 'subject', field: 'health.timeout' },
  ],
  plan(scenario, limiter) {
    const { multiplier, settle, trials } = parametersOf(scenario);
    // Without it the burst depends on the number of pods.
    const sent = multiplier === undefined ? undefined : multiplier * limiter.limit.requests;
    const burst =
      sent === undefined ? 'A burst of twice the limit to each node' : `A burst of ${sent} requests`;
    return {
      faultMs: parseDuration(limiter.health.timeout) + trialsMs(scenario, limiter),
      settleMs: parseDuration(settle),
      load: false,
      onOrphan: 'Retry',
      faultTitle: `${burst} goes to all nodes at once${trials > 1 ? `, ${trials} times ${isOfOneCaller(limiter) ? 'with a rest between them' : 'on keys of their own'}` : ''}`,
      invariant: invariantOf(limiter, sent),
    };
  },
  beyondStoryMs: trialsMs,
  keysOf: (fixture) => trialKeys(fixture, MOST_KEYS),
  unprovable,
  judge: (history) => new GhostJudge(history),
  open: (scenario, toolkit, access) => new GhostAllowingAttempt(scenario, toolkit, access),
};

function invariantOf(limiter: RateLimiterSpec, sent: number | undefined): string {
  const { requests } = limiter.limit;
  const full = admittedAtOnce(limitOf(limiter));
  const of = sent === undefined ? 'the requests of a burst' : `${sent} requests`;
  return full === requests
    ? `of ${of} at most ${requests}, the limit, are admitted in the window`
    : `of ${of} at most ${full} are admitted, and what comes back meanwhile`;
}

/** Over-admission under concurrency: bursts over the limit go to all pods at once. */
import type { BurstsSeen } from '../../checkers/bursts.ts';
import { admittedAtOnce } from '../../limits/rate-limit.ts';
import { limitOf, timeoutOf } from '../../spec/limit-of-spec.ts';
import type { RateLimiterSpec } from '../../spec/schema.ts';
import { isOfOneCaller } from '../cooldowns.ts';
import { Judge } from '../judge.ts';
import type { ScenarioType } from '../scenario-type.ts';
import { burstEvidence } from './evidence.ts';
import { judgedBursts } from './judge.ts';
import { api, parametersOf, storyMs, trialsMs, unprovable } from './parameters.ts';
import { BurstWorkload } from './workload.ts';

export const ghostAllowing: ScenarioType<BurstsSeen> = {
  api,
  // The requests are no fault: they show that pods decide separately. What they admitted stays.
  truth: () => ({ anomalies: ['uncoordinated-admission'], at: 'replica', stays: true }),
  title: 'Ghost Allowing',
  storyMs,
  plan(scenario, limiter) {
    const { multiplier, trials } = parametersOf(scenario);
    // Without a multiplier the burst depends on the number of pods.
    const sent = multiplier === undefined ? undefined : multiplier * limiter.limit.requests;
    const burst =
      sent === undefined ? 'A burst of twice the limit to each pod' : `A burst of ${sent} requests`;
    return {
      faultMs: timeoutOf(limiter) + trialsMs(scenario, limiter),
      settleMs: 0,
      faultTitle: `${burst} goes to all pods at once${trials > 1 ? `, ${trials} times ${isOfOneCaller(limiter) ? 'with a cool-down between them' : 'on separate keys'}` : ''}`,
      invariant: invariantOf(limiter, sent),
    };
  },
  unprovable,
  judge: (history, onFailure) => new Judge(history, judgedBursts, onFailure),
  evidence: burstEvidence,
  workload: (scenario, toolkit) => new BurstWorkload(scenario, toolkit),
};

function invariantOf(limiter: RateLimiterSpec, sent: number | undefined): string {
  const { requests } = limiter.limit;
  const full = admittedAtOnce(limitOf(limiter));
  const of = sent === undefined ? 'the requests of a burst' : `${sent} requests`;
  return full === requests
    ? `of ${of} at most ${requests}, the limit, are admitted in the window`
    : `of ${of} at most ${full} are admitted, and what is replenished during it`;
}

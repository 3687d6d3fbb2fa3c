/** Over-admission under concurrency: bursts over the limit go to all pods at once. */
import type { History } from '../../../history/history.ts';
import { composed, type Judge, summariesOf } from '../../../scenarios/judge.ts';
import { type SeenEvidence, Timeline } from '../../../scenarios/timeline.ts';
import { BURST_CHECKERS, type BurstsSeen, burstFold, shownTrial } from '../../checkers/bursts.ts';
import { seenInvariant } from '../../checkers/formula.ts';
import type { Setup } from '../../history/setup.ts';
import type { RateLimiterSpec } from '../../spec/schema.ts';
import { type LimiterType, ofLimiter } from '../limiter-plan.ts';
import { api, BurstPlan } from './plan.ts';
import { burstWords } from './words.ts';
import { BurstWorkload } from './workload.ts';

/** Bursts that are shown as bands in evidence. */
const MOST_BANDS = 12;

export const ghostAllowing: LimiterType<BurstsSeen, BurstPlan> = {
  ...ofLimiter,
  api,
  plan: (scenario, limiter: RateLimiterSpec) => new BurstPlan(scenario, limiter, api),
  workload: (plan, toolkit) => new BurstWorkload(plan, toolkit),
  checkers: BURST_CHECKERS,
  fold: burstFold,
  words: burstWords,
  /** Undefined before the first burst. Final once all were sent. */
  read({ trials: { length: trials } }, findings) {
    if (trials === 0) return undefined;
    const reading = composed(findings);
    return {
      ...reading,
      summary: summariesOf(findings, burstWords, 'bursts').join(),
      ...(reading.detectedAt !== undefined && { provenAlone: true }),
      // No samples follow: the sender's count is final.
      watchedUntil: Number.MAX_SAFE_INTEGER,
      complete: true,
      trials,
    };
  },
  // Each burst changes it, but trials are reported together, when all were sent.
  changes: ({ kind }, { trials }) => kind === 'fault' && trials.length > 0,
  evidence: burstEvidence,
};

/** Draws the trial whose figures are shown, next to the others. */
function burstEvidence(history: History<Setup>, judge: Judge<BurstsSeen>): SeenEvidence | undefined {
  const { setup, trials } = judge.state;
  const { preparedAt, usualWriteMs } = history.setup;
  const { full, isOneCaller } = setup.plan;
  const index = shownTrial(trials);
  const timeline = new Timeline(history.setup);
  timeline.limit(preparedAt, full);
  timeline.usualWrites(preparedAt, usualWriteMs > 0 ? [usualWriteMs] : []);
  const other = isOneCaller ? 'the same caller, in a separate window,' : 'another caller';
  const left = [...trials];
  for (const event of history.events) {
    const trial = event.kind === 'burst' ? left.shift() : undefined;
    if (!trial) {
      if (event.kind !== 'request') timeline.show(event);
    } else if (trial === trials[index]) {
      const { bound, burst } = trial;
      timeline.burst(burst);
      timeline.limit(burst.startedAt, full);
      timeline.limit(burst.admittedAt.at(-1) ?? burst.startedAt, bound);
    } else timeline.otherBurst(trial.burst, other);
  }
  const all = trials.map(({ burst }) => burst);
  const startedAt = all[index]?.startedAt;
  const times = startedAt === undefined ? {} : { startedAt };
  const invariant = seenInvariant('sum(requests-admitted)', judge.reading());
  // If there are many bursts, the first ones and the one whose series are shown.
  const bands = all
    .filter((_, i) => i < MOST_BANDS - 1 || i === index)
    .map((burst) => ({ kind: 'burst', from: burst.startedAt, to: burst.endedAt }) as const);
  return timeline.evidence(times, invariant, bands);
}

/** Over-admission in bursts as evidence: the trial whose figures are shown, next to the others. Pure. */

import type { History } from '../../../history/history.ts';
import type { Judge } from '../../../scenarios/judge.ts';
import { type SeenEvidence, Timeline } from '../../../scenarios/timeline.ts';
import { type BurstsSeen, shownTrial, type Trial } from '../../checkers/bursts.ts';
import { seenInvariant } from '../../checkers/formula.ts';
import type { Setup } from '../../history/setup.ts';
import { trialKeys } from '../caller-keys.ts';
import { BurstPlan } from './plan.ts';
import { burstBands } from './words.ts';

/** Draws a history. */
export function burstEvidence(history: History<Setup>, judge: Judge<BurstsSeen>): SeenEvidence | undefined {
  const { trials } = judge.state;
  const { fixture, limiter, preparedAt, scenario, usualWriteMs } = history.setup;
  const { full, isOneCaller, parameters } = new BurstPlan(scenario, limiter);
  const index = shownTrial(trials);
  const key = trialKeys(fixture, parameters.trials)[index];
  const timeline = new Timeline(history.setup);
  timeline.limit(preparedAt, full);
  timeline.usualWrites(preparedAt, usualWriteMs > 0 ? [usualWriteMs] : []);
  const other = isOneCaller ? 'the same caller, in a separate window,' : 'another caller';
  const left = [...trials];
  for (const event of history.events) {
    const trial = event.kind === 'burst' ? left.shift() : undefined;
    if (!trial) {
      if (event.kind !== 'request') timeline.show(event);
    } else if (event.kind === 'burst' && event.key === key) showBurst(timeline, trial, full);
    else timeline.otherBurst(trial.burst, other);
  }
  const all = trials.map(({ burst }) => burst);
  const startedAt = all[index]?.startedAt;
  const times = startedAt === undefined ? {} : { startedAt };
  const invariant = seenInvariant('sum(requests-admitted)', judge.reading());
  return timeline.evidence(times, invariant, burstBands(all, index));
}

function showBurst(timeline: Timeline, { bound, burst }: Trial, full: number): void {
  timeline.burst(burst);
  timeline.limit(burst.startedAt, full);
  timeline.limit(burst.admittedAt.at(-1) ?? burst.startedAt, bound);
}

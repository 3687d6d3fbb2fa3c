/** Over-admission in bursts as evidence: a timeline of each trial; the one whose figures are shown is used. Pure. */
import { type BurstsSeen, shownTrial } from '../../checkers/bursts.ts';
import { seenInvariant } from '../../checkers/formula.ts';
import type { History } from '../../history/history.ts';
import { admittedAtOnce } from '../../limits/rate-limit.ts';
import { limitOf } from '../../spec/limit-of-spec.ts';
import { trialKeys } from '../caller-keys.ts';
import { isOfOneCaller } from '../cooldowns.ts';
import type { Judge } from '../judge.ts';
import { type SeenEvidence, Timeline } from '../timeline.ts';
import { parametersOf } from './parameters.ts';
import { burstBands } from './words.ts';

/** Shows a history as it grows; the returned function gives the evidence so far. */
export function burstEvidence(history: History, judge: Judge<BurstsSeen>): () => SeenEvidence | undefined {
  const { fixture, scenario } = history.setup;
  const keys = trialKeys(fixture, parametersOf(scenario).trials);
  const timelines = keys.map(() => new Timeline(history.setup));
  showUsual(timelines, history);
  showEvents(timelines, history, keys, judge);
  return () => {
    const { trials } = judge.state;
    const index = shownTrial(trials);
    const startedAt = trials[index]?.burst.startedAt;
    const times = startedAt === undefined ? {} : { startedAt };
    const bands = burstBands(
      trials.map(({ burst }) => burst),
      index,
    );
    return timelines[index]?.evidence(times, seenInvariant('sum(requests-admitted)', judge.reading()), bands);
  };
}

function showUsual(timelines: readonly Timeline[], { setup }: History): void {
  const { limiter, preparedAt, usualWriteMs } = setup;
  const full = admittedAtOnce(limitOf(limiter));
  for (const timeline of timelines) {
    timeline.limit(preparedAt, full);
    timeline.usualWrites(preparedAt, usualWriteMs > 0 ? [usualWriteMs] : []);
  }
}

function showEvents(
  timelines: readonly Timeline[],
  history: History,
  keys: readonly string[],
  judge: Judge<BurstsSeen>,
): void {
  const { limiter } = history.setup;
  const full = admittedAtOnce(limitOf(limiter));
  const other = isOfOneCaller(limiter) ? 'the same caller, in a separate window,' : 'another caller';
  history.listen((event) => {
    if (event.kind === 'burst') {
      const trial = judge.state.trials.at(-1);
      if (!trial) return;
      const { bound, burst } = trial;
      for (const [i, timeline] of timelines.entries()) {
        if (keys[i] !== event.key) {
          timeline.otherBurst(burst, other);
          continue;
        }
        timeline.burst(burst);
        timeline.limit(burst.startedAt, full);
        timeline.limit(burst.admittedAt.at(-1) ?? burst.startedAt, bound);
      }
    } else if (event.kind !== 'request') for (const timeline of timelines) timeline.show(event);
  });
}

/** Over-admission in bursts as evidence: a timeline of each trial; the one whose figures are shown is used. Pure. */
import type { FaultEvidence } from '../../../../demo/subject.ts';
import { burstBands } from '../../checkers/burst-trials.ts';
import { mostOfBurst } from '../../checkers/sent-burst.ts';
import type { History } from '../../history/history.ts';
import { limitOf } from '../../interfaces/http/limit-of-spec.ts';
import { admittedAtOnce } from '../../limits/rate-limit.ts';
import type { RateLimiterTarget } from '../../target.ts';
import { isOfOneCaller } from '../cooldowns.ts';
import { Timeline } from '../timeline.ts';
import type { GhostJudge } from './judge.ts';

/** Shows a history as it grows; the returned function gives the evidence so far. */
export function burstEvidence(
  history: History,
  judge: GhostJudge,
  target: RateLimiterTarget,
): () => FaultEvidence | undefined {
  const { preparedAt } = history.setup;
  const timelines = judge.keys.map(() => new Timeline(target, preparedAt));
  showUsual(timelines, history);
  showEvents(timelines, history, judge);
  return () => {
    const { index, trial } = judge.shown;
    const startedAt = trial?.burst.startedAt;
    const times = startedAt === undefined ? {} : { startedAt };
    const bands = burstBands(
      judge.trials.map(({ burst }) => burst),
      index,
    );
    return timelines[index]?.evidence(times, judge.seen, bands);
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

function showEvents(timelines: readonly Timeline[], history: History, judge: GhostJudge): void {
  const { clockWithinMs, limiter, pods } = history.setup;
  const limit = limitOf(limiter);
  const full = admittedAtOnce(limit);
  const other = isOfOneCaller(limiter) ? 'the same caller, in a separate window,' : 'another caller';
  history.listen((event) => {
    if (event.kind === 'burst') {
      const burst = judge.trials.at(-1)?.burst;
      if (!burst) return;
      for (const [i, timeline] of timelines.entries()) {
        if (judge.keys[i] !== event.key) {
          timeline.otherBurst(burst, other);
          continue;
        }
        timeline.burst(burst);
        const most = mostOfBurst({ limit, pods, clockWithinMs }, burst);
        timeline.limit(burst.startedAt, full);
        timeline.limit(most.at, most.bound);
      }
    } else if (event.kind === 'count') timelines[judge.keys.indexOf(event.key)]?.show(event);
    else if (event.kind !== 'request') for (const timeline of timelines) timeline.show(event);
  });
}

/** Counter drift as evidence. Pure. */
import type { DriftSeen } from '../../checkers/drift-seen.ts';
import { seenInvariant } from '../../checkers/formula.ts';
import type { History } from '../../history/history.ts';
import type { Judge } from '../judge.ts';
import { type SeenEvidence, Timeline } from '../timeline.ts';

/** Shows a history as it grows; the returned function gives the evidence so far. */
export function driftEvidence(history: History, judge: Judge<DriftSeen>): () => SeenEvidence {
  const { baseline, limiter, preparedAt } = history.setup;
  const timeline = new Timeline(history.setup);
  timeline.limit(preparedAt, limiter.limit.requests);
  if (baseline) {
    timeline.usualWrites(preparedAt, [baseline.writeP50Ms, baseline.writeMaxMs]);
    if (baseline.lag !== undefined) timeline.lag(preparedAt, baseline.lag);
  }
  history.listen((event) => timeline.show(event));
  return () =>
    timeline.evidence(history.times, seenInvariant('sum(requests-admitted) - count-stored', judge.reading()));
}

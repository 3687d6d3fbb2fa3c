/** Counter drift as evidence. Pure. */
import type { FaultEvidence } from '../../../../engine/subject.ts';
import type { DriftSeen } from '../../checkers/drift-seen.ts';
import { seenInvariant } from '../../checkers/formula.ts';
import type { History } from '../../history/history.ts';
import type { RateLimiterTarget } from '../../target/target.ts';
import type { Judge } from '../judge.ts';
import { Timeline } from '../timeline.ts';

/** Shows a history as it grows; the returned function gives the evidence so far. */
export function driftEvidence(
  history: History,
  judge: Judge<DriftSeen>,
  target: RateLimiterTarget,
): () => FaultEvidence {
  const { baseline, limiter, preparedAt } = history.setup;
  const timeline = new Timeline(target, preparedAt);
  timeline.limit(preparedAt, limiter.limit.requests);
  if (baseline) {
    timeline.usualWrites(preparedAt, [baseline.writeP50Ms, baseline.writeMaxMs]);
    if (baseline.lag !== undefined) timeline.lag(preparedAt, baseline.lag);
  }
  history.listen((event) => timeline.show(event));
  return () =>
    timeline.evidence(history.times, seenInvariant('sum(requests-admitted) - count-stored', judge.reading()));
}

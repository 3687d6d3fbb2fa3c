/** Counter drift as evidence. Pure. */

import type { History } from '../../../history/history.ts';
import type { Judge } from '../../../scenarios/judge.ts';
import { type SeenEvidence, Timeline } from '../../../scenarios/timeline.ts';
import type { DriftSeen } from '../../checkers/drift-seen.ts';
import { seenInvariant } from '../../checkers/formula.ts';
import type { Setup } from '../../history/setup.ts';

/** Draws a history. */
export function driftEvidence(history: History<Setup>, judge: Judge<DriftSeen>): SeenEvidence {
  const { baseline, limiter, preparedAt } = history.setup;
  const timeline = new Timeline(history.setup);
  timeline.limit(preparedAt, limiter.limit.requests);
  if (baseline) {
    timeline.usualWrites(preparedAt, [baseline.writeP50Ms, baseline.writeMaxMs]);
    if (baseline.lag !== undefined) timeline.lag(preparedAt, baseline.lag);
  }
  for (const event of history.events) timeline.show(event);
  const invariant = seenInvariant('sum(requests-admitted) - count-stored', judge.reading());
  return timeline.evidence(history.times, invariant);
}

/** A store outage as evidence. Pure. */
import { seenInvariant } from '../../checkers/outage-formula.ts';
import { type OutageSeen, viewOf } from '../../checkers/outage-seen.ts';
import type { History } from '../../history/history.ts';
import { mostAdmitted } from '../../limits/rate-limit.ts';
import { limitOf } from '../../spec/limit-of-spec.ts';
import { isOfOneCaller } from '../cooldowns.ts';
import type { Judge } from '../judge.ts';
import { type SeenEvidence, Timeline } from '../timeline.ts';
import { parametersOf } from './parameters.ts';

/** Shows a history as it grows; the returned function gives the evidence so far. */
export function outageEvidence(history: History, judge: Judge<OutageSeen>): () => SeenEvidence {
  const { limiter, preparedAt, scenario, usualWriteMs } = history.setup;
  const timeline = new Timeline(history.setup);
  timeline.usualWrites(preparedAt, usualWriteMs > 0 ? [usualWriteMs] : []);
  showEvents(timeline, history);
  const { accept } = parametersOf(scenario);
  const who = isOfOneCaller(limiter) ? 'within' : undefined;
  return () => {
    const reading = judge.reading();
    const excess = viewOf(judge.state)?.over.excess;
    return timeline.evidence(history.times, reading && seenInvariant(reading, accept, excess, who));
  };
}

function showEvents(timeline: Timeline, history: History): void {
  const { clockWithinMs, limiter, preparedAt } = history.setup;
  const limit = limitOf(limiter);
  const oneLimit = isOfOneCaller(limiter);
  /** The most that the caller over its limit may have been admitted until then. */
  const mostUntil = (to: number): number =>
    mostAdmitted(limit, {
      from: oneLimit ? (history.last('arrived')?.at ?? to) : preparedAt,
      to,
      fresh: true,
      clockWithinMs,
    });
  timeline.limit(preparedAt, mostUntil(preparedAt));
  history.listen((event) => {
    // The limit of the one caller is replenished after its control, so the evidence begins after that.
    if (event.kind === 'request' && event.sentAt < preparedAt) return;
    timeline.show(event);
    if (event.kind === 'late') {
      const request = history.requests[event.id];
      if (request) timeline.late(request, event);
      // If one caller makes all requests, the limit applies to each of them.
    } else if (event.kind === 'request' && event.caller === 'Over') {
      timeline.limit(event.endedAt, mostUntil(event.endedAt));
    }
  });
}

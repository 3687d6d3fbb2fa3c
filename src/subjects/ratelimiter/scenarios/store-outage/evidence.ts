/** A store outage as evidence. Pure. */

import type { CallerRequest } from '../../../history/events.ts';
import type { History } from '../../../history/history.ts';
import type { Judge } from '../../../scenarios/judge.ts';
import { type SeenEvidence, type Source, Timeline } from '../../../scenarios/timeline.ts';
import { outageInvariant } from '../../checkers/formula.ts';
import { type OutageSeen, viewOf } from '../../checkers/outage-seen.ts';
import { owedIn } from '../../checkers/owed.ts';
import type { Setup } from '../../history/setup.ts';
import { mostAdmitted } from '../../limits/rate-limit.ts';
import { newKey, overKey } from '../caller-keys.ts';
import { OutagePlan } from './plan.ts';

/** Draws a history. */
export function outageEvidence(history: History<Setup>, judge: Judge<OutageSeen>): SeenEvidence {
  const { clockWithinMs, fixture, limiter, preparedAt, scenario, usualWriteMs } = history.setup;
  const { isOneCaller, limit, parameters } = new OutagePlan(scenario, limiter);
  const { requests } = judge.state;
  const view = viewOf(judge.state);
  const drawn = requests.filter(({ caller }) => caller === 'Drawn');
  // Before the fault is known, every failure may still be counted.
  const owed = view?.owed ?? owedIn({ limit }, drawn, Number.POSITIVE_INFINITY);
  const over = overKey(fixture);
  /** Other requests that are not owed are of no source: a rejected one would pass for one of the others. */
  const sourceOf = (request: CallerRequest): Source | undefined => {
    if (request.caller === 'Control') return undefined;
    if (request.key === over) return 'requests';
    return owed.has(request) ? 'others' : undefined;
  };
  /** The most that the caller over its limit may have been admitted until then. */
  const mostUntil = (to: number): number =>
    mostAdmitted(limit, {
      from: isOneCaller ? (history.last('arrived')?.at ?? to) : preparedAt,
      to,
      fresh: true,
      clockWithinMs,
    });
  const timeline = new Timeline(history.setup);
  timeline.usualWrites(preparedAt, usualWriteMs > 0 ? [usualWriteMs] : []);
  timeline.limit(preparedAt, mostUntil(preparedAt));
  for (const event of history.events) {
    if (event.kind !== 'request' && event.kind !== 'late') {
      timeline.show(event);
      continue;
    }
    const request = requests[event.id];
    // The limit of the one caller is replenished after its control, so the evidence begins after that.
    if (!request || request.sentAt < preparedAt) continue;
    const at = event.kind === 'late' ? event.at : event.endedAt;
    if (request.key === newKey(fixture) && event.outcome === 'Admitted') timeline.newcomer(at, request.pod);
    if (event.kind === 'late') {
      // To the others it came too late.
      if (request.key === over) timeline.late(request, event);
      continue;
    }
    timeline.request(event, sourceOf(request));
    if (event.key === over) timeline.limit(at, mostUntil(at));
  }
  const invariant = judge.reading();
  const who = isOneCaller ? 'within' : undefined;
  return timeline.evidence(
    history.times,
    invariant && outageInvariant(invariant, parameters.accept, view?.over.excess, who),
  );
}

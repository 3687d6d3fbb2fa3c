/** What callers got since a fault began, while it goes on: no finding, since the rest of the fault may change it. Pure. */
import { code } from '../../checkers/checker.ts';
import { countsOf, sizeOf } from '../../checkers/requests.ts';
import { finishedAt } from '../../checkers/seen.ts';
import { type OutageSeen, sidesOf, viewOf } from './outage-seen.ts';

/** Undefined before the fault, after it, and while no owed request has had its time in it. */
export function soFarIn(seen: OutageSeen) {
  const view = viewOf(seen);
  if (!view?.isOngoing || finishedAt(seen) !== undefined) return undefined;
  const within = countsOf(sidesOf(view, view.phases.during).within);
  const of = sizeOf(within);
  const { over } = view.over;
  const { callerTimeoutMs: withinMs } = view.settings.plan;
  const figures = { of, failed: of - within.Admitted, within, withinMs };
  return of === 0 ? undefined : code('SoFar', { ...figures, over: over.excess > 0 ? over : undefined });
}

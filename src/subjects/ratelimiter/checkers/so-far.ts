/** What callers got since a fault began, while it goes on: no finding, since the rest of the fault may change it. Pure. */
import { code } from '../../checkers/checker.ts';
import { countsOf, phasesOf, sizeOf } from '../../checkers/requests.ts';
import type { OverAdmission } from '../limits/over-admission.ts';
import { limitedCallers, type OutageSeen, owedIn } from './outage-seen.ts';

/** Undefined before the fault, after it, and while no owed request has had its time in it. */
export function soFarIn(seen: OutageSeen) {
  const { callerTimeoutMs: withinMs, limit } = seen.setup.plan;
  const { endedAt, startedAt } = seen.times;
  if (startedAt === undefined || endedAt !== undefined) return undefined;
  const drawn = seen.requests.filter(({ caller }) => caller === 'Drawn');
  const owed = owedIn(limit, drawn, Number.POSITIVE_INFINITY);
  const span = { startedAt, endedAt: drawn.at(-1)?.endedAt ?? startedAt };
  const { during } = phasesOf(drawn, span, withinMs);
  const within = countsOf(during.filter((request) => owed.has(request)));
  const of = sizeOf(within);
  if (of === 0) return undefined;
  const [most]: readonly OverAdmission[] = limitedCallers(seen, drawn)
    .map(({ over }) => over)
    .toSorted((a, b) => b.excess - a.excess);
  const over = most && most.excess > 0 ? most : undefined;
  return code('SoFar', { of, failed: of - within.Admitted, within, withinMs, over });
}

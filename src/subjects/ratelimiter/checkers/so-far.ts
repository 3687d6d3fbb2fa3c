/** What callers got since a fault began, while it goes on: no finding, since the rest of the fault may change it. Pure. */
import { code } from '../../checkers/checker.ts';
import { countsOf, phasesOf, sizeOf } from '../../checkers/requests.ts';
import { finishedAt } from '../../checkers/seen.ts';
import { countingIn, limitedCallers, type OutageSeen, owedIn } from './outage-seen.ts';

/** Undefined before the fault, after it, and while no owed request has had its time in it. */
export function soFarIn(seen: OutageSeen) {
  const { callerTimeoutMs: withinMs } = seen.setup.plan;
  const { endedAt, startedAt } = seen.times;
  if (startedAt === undefined || endedAt !== undefined || finishedAt(seen) !== undefined) return undefined;
  const drawn = seen.requests.filter(({ caller }) => caller === 'Drawn');
  const owed = owedIn(countingIn(seen).open, drawn, Number.POSITIVE_INFINITY);
  const span = { startedAt, endedAt: drawn.at(-1)?.endedAt ?? startedAt };
  const { during } = phasesOf(drawn, span, withinMs);
  const within = countsOf(during.filter((request) => owed.has(request)));
  const of = sizeOf(within);
  if (of === 0) return undefined;
  const overs = limitedCallers(seen, drawn).map((caller) => caller.over);
  const [over] = overs.filter(({ excess }) => excess > 0).sort((a, b) => b.excess - a.excess);
  return code('SoFar', { of, failed: of - within.Admitted, within, withinMs, over });
}

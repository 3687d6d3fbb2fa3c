/** Limit return: whether callers get their limit back after a window without requests. Pure. */
import { code, NOTHING } from '../../checkers/checker.ts';
import { inFault, type OutageSeen, outageFold, viewOf } from './outage-seen.ts';

/** Undefined while it is unknown. */
export function limitReturnIn(seen: OutageSeen) {
  const { ended, return: awaited } = seen.last;
  if (!ended || !awaited) return undefined;
  const { at, why } = awaited;
  if (why !== undefined) return code('ReturnNotChecked', { why });
  const { owed, returning = [] } = viewOf(seen) ?? {};
  // Requests that the limiter owes again, in the order in which they ended.
  const again = returning.filter((request) => owed?.has(request));
  const byKey = Map.groupBy(again, ({ key }) => key);
  const callers = byKey.size;
  if (callers === 0) return code('ReturnNotChecked', { why: 'no caller was owed a request again' });
  const outcomes = [...byKey.values()].map((own) => new Set(own.map(({ outcome }) => outcome)));
  const lockedOut = outcomes.filter((of) => of.has('Rejected')).length;
  // From the end of the traffic to the last request.
  const waitedMs = Math.round((again.at(-1)?.endedAt ?? at) - at);
  if (lockedOut > 0) return code('NotReturned', { callers, lockedOut, waitedMs });
  const unclear = outcomes.filter((of) => of.has('Error') || of.has('Timeout')).length;
  return unclear > 0 ? code('ReturnUnclear', { callers, unclear }) : code('Returned', { callers });
}

export const limitReturn = {
  ...outageFold,
  name: 'limitReturn',
  finding: inFault(({ span }, seen) => {
    const found = limitReturnIn(seen);
    if (!found) return NOTHING;
    const isBroken = found.code === 'NotReturned';
    return {
      evidence: [found],
      missing: found.code === 'ReturnUnclear' ? [found] : [],
      ...(isBroken && {
        isBroken,
        brokenAt: span.endedAt,
        summary: code('LockedOut'),
        measures: [{ name: 'lockedOut', value: found.lockedOut, unit: 'callers', bound: 0 }],
      }),
    };
  }),
};

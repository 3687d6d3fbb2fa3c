/** Limit return: whether callers that exhausted their limits after the fault get them back. Pure. */
import type { CallerRequest, EventOf } from '../history/events.ts';
import { code, NOTHING } from './checker.ts';
import { inFault, type OutageSeen, outageFold } from './outage-seen.ts';

/** Callers that exhausted their limits wait for them; or why none does. */
type Awaited = Pick<EventOf<'return'>, 'at' | 'keys' | 'why'>;

/** @param requests of the callers that wait, in sending order */
export function limitReturnOf({ at, keys, why }: Awaited, requests: readonly CallerRequest[]) {
  if (why !== undefined) return code('ReturnNotChecked', { why });
  const tries = Map.groupBy(requests, ({ key }) => key);
  const left = keys.filter((key) => !tries.get(key)?.some(({ outcome }) => outcome === 'Admitted'));
  const callers = keys.length;
  if (left.length === 0) return code('Returned', { callers });
  const lockedOut = left.filter((key) => tries.get(key)?.at(-1)?.outcome === 'Rejected').length;
  // The requests of these were neither admitted nor rejected.
  if (lockedOut === 0) return code('ReturnUnclear', { callers, unclear: left.length });
  // From the exhaustion of their limits to the last try.
  const waitedMs = Math.round((requests.at(-1)?.endedAt ?? at) - at);
  return code('NotReturned', { callers, lockedOut, waitedMs });
}

/** Undefined while it is unknown. */
export function limitReturnIn({ last, requests }: OutageSeen): ReturnType<typeof limitReturnOf> | undefined {
  if (!last.ended || !last.return) return undefined;
  return limitReturnOf(
    last.return,
    requests.filter(({ caller }) => caller === 'Returning'),
  );
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

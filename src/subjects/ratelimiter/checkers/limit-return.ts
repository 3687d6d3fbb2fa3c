/** Limit return: whether callers that exhausted their limits after the fault get them back. Pure. */
import { counted } from '../../../api/index.ts';
import type { CallerRequest } from '../history/events.ts';
import type { Finding } from './finding.ts';

export type LimitReturn =
  | { readonly state: 'Returned'; readonly callers: number }
  | {
      readonly state: 'NotReturned';
      readonly callers: number;
      readonly lockedOut: number;
      /** From the exhaustion of their limits to the last try; milliseconds. */
      readonly waitedMs: number;
    }
  /** The requests of this many callers were neither admitted nor rejected. */
  | { readonly state: 'Unclear'; readonly callers: number; readonly unclear: number }
  | { readonly state: 'NotChecked'; readonly why: string };

/** The wait of callers that exhausted their limits: since when, and which callers. */
export interface ReturnAwaited {
  readonly at: number;
  readonly keys: readonly string[];
  /** Why no caller waits. */
  readonly why?: string | undefined;
}

/** @param requests of the callers that wait, in sending order */
export function limitReturnOf(
  { at, keys, why }: ReturnAwaited,
  requests: readonly CallerRequest[],
): LimitReturn {
  if (why !== undefined) return { state: 'NotChecked', why };
  const tries = Map.groupBy(requests, ({ key }) => key);
  const left = keys.filter((key) => !tries.get(key)?.some(({ outcome }) => outcome === 'Admitted'));
  if (left.length === 0) return { state: 'Returned', callers: keys.length };
  const lockedOut = left.filter((key) => tries.get(key)?.at(-1)?.outcome === 'Rejected').length;
  if (lockedOut === 0) return { state: 'Unclear', callers: keys.length, unclear: left.length };
  const waitedMs = Math.round((requests.at(-1)?.endedAt ?? at) - at);
  return { state: 'NotReturned', callers: keys.length, lockedOut, waitedMs };
}

/** The finding; none while it is unknown. `endedAt`: the end of the fault. */
export function checkLimitReturn(limitReturn: LimitReturn | undefined, endedAt: number): Finding {
  const none = { measures: [], missing: [], evidence: [] };
  if (!limitReturn) return { valid: true, ...none };
  const found = { ...none, evidence: [returnText(limitReturn)] };
  if (limitReturn.state === 'Unclear') return { ...found, valid: 'unknown', missing: found.evidence };
  if (limitReturn.state !== 'NotReturned') return { ...found, valid: true };
  return {
    ...found,
    valid: false,
    brokenAt: endedAt,
    summary: 'limit not returned',
    measures: [{ name: 'lockedOut', value: limitReturn.lockedOut, unit: 'callers', bound: 0 }],
  };
}

function returnText(limitReturn: LimitReturn): string {
  switch (limitReturn.state) {
    case 'Returned':
      return `The limit was returned: ${counted(limitReturn.callers, 'caller')} that had used it up got a request admitted again`;
    case 'NotReturned':
      return `The limit was not returned: ${limitReturn.lockedOut} of ${counted(limitReturn.callers, 'caller')} that had used it up ${limitReturn.lockedOut === 1 ? 'was' : 'were'} still rejected ${Math.round(limitReturn.waitedMs / 1000)} s later: their keys do not expire, or the window is longer than limit.window`;
    case 'Unclear':
      return `Whether the limit is returned is not clear: requests of ${limitReturn.unclear} of ${counted(limitReturn.callers, 'caller')} that had used it up had an error or no answer`;
    case 'NotChecked':
      return `Whether the limit is returned was not checked: ${limitReturn.why}`;
    default:
      return limitReturn satisfies never;
  }
}

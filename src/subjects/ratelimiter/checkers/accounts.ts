/**
 * Counts are reconciled after the fault by what the limiter still admits, without access to Redis. A caller whose
 * admitted requests were not counted has more left than it should (under-counted). If requests were counted but not
 * admitted, less is left (over-counted: queued writes that were carried out after their caller had got an error); the
 * same holds if requests were counted twice. Pure.
 */
import { counted, type Measure } from '../../../api/index.ts';
import type { CallerRequest } from '../history/events.ts';
import {
  admittedAtOnce,
  mayCrossWindow,
  mostAdmitted,
  type RateLimit,
  type Span,
} from '../limits/rate-limit.ts';

/** Limits up to this size are reconciled: each has to be used up after the fault. */
export const MOST_ACCOUNTED = 200;

/** Rejections in a row of every pod after which a limit counts as used up. */
const REJECTIONS = 2;

/** Why a balance is unknown. */
const WINDOW_MAY_END = 'a window may have ended between its first request and its last';

/** One caller's requests, all within one window. */
export interface Account {
  /** Requests that were admitted before and during the fault. */
  readonly served: number;
  /** Requests that were rejected, failed or had no answer. */
  readonly notAdmitted: number;
  /** Requests that were admitted after the fault, until the limiter rejected one; all were answered. */
  readonly admittedAfter: number;
  /** From the first request to the last. */
  readonly span: Span;
}

export interface Balance {
  /** Admitted and never counted. */
  readonly underCounted: number;
  /** Counted and never admitted. */
  readonly overCounted: number;
  /** Gone from the limit beyond all requests, as if requests were counted twice. */
  readonly withoutRequest: number;
  /** How much more of each may be hidden: by tokens that were added, or because nothing was left. */
  readonly hidden: number;
}

/** A balance, or why it is unknown. */
type Balanced = Balance | { readonly unknown: string };

/**
 * Each figure is a minimum: if tokens are added in that time, more may be under-counted or over-counted.
 * @param oneLimit whether the caller also made the requests over its limit: all of these may have been counted, unless
 * some of the limit is left in the end
 */
export function balanceOf(
  limit: RateLimit,
  { admittedAfter, notAdmitted, served, span }: Account,
  oneLimit = false,
): Balanced {
  if (mayCrossWindow(limit, span)) return { unknown: WINDOW_MAY_END };
  const full = admittedAtOnce(limit);
  if (oneLimit && served > full && admittedAfter === 0)
    return { unknown: 'more than the limit was admitted, and how much of that was counted is not visible' };
  const refilled = mostAdmitted(limit, span) - full;
  const admitted = served + admittedAfter;
  const gone = Math.max(0, full - admitted);
  // At most as many as were requested can be counted without being admitted.
  const overCounted = Math.min(notAdmitted, gone);
  return {
    underCounted: Math.max(0, admitted - full - refilled),
    overCounted,
    withoutRequest: gone - overCounted,
    // A caller that was admitted up to its limit has nothing left that could be missing.
    hidden: served >= full ? Math.max(1, refilled) : refilled,
  };
}

/** What is known of the counts of all callers. If nothing was measured, `message` has the reason. */
export interface Reconciliation {
  readonly measures: readonly Measure[];
  readonly message: string;
}

/** Whether every pod rejects the caller by the end of these requests, so that nothing of the limit is left. */
function isUsedUp(requests: readonly CallerRequest[], pods: number): boolean {
  const last = requests.slice(-REJECTIONS * pods);
  return last.length === REJECTIONS * pods && last.every(({ outcome }) => outcome === 'Rejected');
}

/** Callers that used their limits up after `readFrom`, by key. */
export function usedUpKeys(requests: readonly CallerRequest[], readFrom: number, pods: number): string[] {
  const after = requests.filter(({ sentAt }) => sentAt >= readFrom);
  return [...Map.groupBy(after, ({ key = '' }) => key)].flatMap(([key, own]) =>
    isUsedUp(own, pods) ? [key] : [],
  );
}

/**
 * Why counts cannot be reconciled, whatever the requests show; undefined: they may be.
 * @param well whether callers were admitted as before: a limiter that still rejects due to the fault has not counted
 * @param ofOneLimit the requests in and after the fault, if one caller made all of them
 */
export function whyNoAccount(
  limit: RateLimit,
  well: boolean,
  ofOneLimit?: readonly CallerRequest[],
): string | undefined {
  if (admittedAtOnce(limit) > MOST_ACCOUNTED)
    return `limits above ${MOST_ACCOUNTED} are not used up once more`;
  if (!well) return 'it is not shown that callers had recovered';
  if (!ofOneLimit) return undefined;
  if (limit.algorithm === 'TokenBucket') return 'what was used comes back all the time';
  return ofOneLimit.some(({ caller, outcome }) => caller === 'Under' && outcome === 'Rejected')
    ? 'it rejected requests within the limit, and may still do so for a reason other than its count'
    : undefined;
}

/** The requests of one caller in the fault, and those that used its limit up afterwards. */
export interface AccountRequests {
  readonly during: readonly CallerRequest[];
  readonly after: readonly CallerRequest[];
}

interface Accounts {
  readonly limit: RateLimit;
  readonly pods: number;
  /** How far the limiter's clock may be from ours; milliseconds. */
  readonly clockWithinMs: number;
  /** Whether one caller made all requests. */
  readonly oneLimit: boolean;
}

/** Reconciles the counts of callers, each with a limit of its own. @param why as {@link whyNoAccount} */
export function reconcile(
  accounts: Accounts,
  callers: readonly AccountRequests[],
  why: string | undefined,
): Reconciliation {
  const balances = callers.map(
    (caller): Balanced => (why === undefined ? balanceIn(accounts, caller) : { unknown: why }),
  );
  const unknown = balances.flatMap((one) => ('unknown' in one ? one.unknown : []));
  const [reason = callers.length === 0 ? (why ?? 'there are none') : undefined] = unknown;
  if (reason !== undefined) {
    const which = counted(unknown.length, 'caller');
    return { measures: [], message: `the counts of ${which} are not known: ${reason}` };
  }
  const known = balances.flatMap((one) => ('unknown' in one ? [] : one));
  const sum = (figure: keyof Balance): number => known.reduce((all, balance) => all + balance[figure], 0);
  const figures = { underCounted: sum('underCounted'), overCounted: sum('overCounted') };
  const hidden = sum('hidden');
  return {
    measures: Object.entries(figures).map(([name, value]) => ({
      name,
      value,
      unit: 'requests',
      ...(hidden > 0 && { atLeast: true }),
    })),
    message: `of ${counted(callers.length, 'caller')} ${balanceText({ ...figures, hidden, withoutRequest: sum('withoutRequest') })}`,
  };
}

function balanceIn(
  { clockWithinMs, limit, oneLimit, pods }: Accounts,
  { after, during }: AccountRequests,
): Balanced {
  const [first] = during;
  const last = after.at(-1);
  if (!first) return { unknown: 'no request was sent in the fault' };
  const failed = after.some(({ outcome }) => outcome === 'Error' || outcome === 'Timeout');
  if (!last || failed || !isUsedUp(after, pods)) return { unknown: 'not every pod rejected in the end' };
  const admittedOf = (requests: readonly CallerRequest[]): number =>
    requests.filter(({ outcome }) => outcome === 'Admitted').length;
  const served = admittedOf(during);
  const account = {
    served,
    notAdmitted: during.length - served,
    admittedAfter: admittedOf(after),
    span: { from: first.sentAt, to: last.endedAt, fresh: true, clockWithinMs },
  };
  return balanceOf(limit, account, oneLimit);
}

/** All balances together, in words. */
function balanceText({ hidden, underCounted, overCounted, withoutRequest }: Balance): string {
  if (underCounted + overCounted + withoutRequest === 0) {
    return hidden > 0
      ? 'none was seen that was admitted and never counted, or counted and not admitted in time, and some may not show'
      : 'exactly the admitted requests were counted';
  }
  const least = hidden > 0 ? 'at least ' : '';
  const parts = [
    `${least}${counted(underCounted, 'request')} admitted and never counted`,
    `${least}${counted(overCounted, 'request')} counted and not admitted in time`,
  ];
  const more = `and at least ${withoutRequest} more gone from their limits than they requested, as if requests are counted more than once`;
  return [...parts, ...(withoutRequest > 0 ? [more] : [])].join(', ');
}

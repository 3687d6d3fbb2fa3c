/**
 * Counts are reconciled after the fault by what the limiter still admits, without access to Redis. A caller whose
 * admitted requests were not counted has more left than it should (under-counted). If requests were counted but not
 * admitted, less is left (over-counted: queued writes that were carried out after their caller had got an error); the
 * same holds if requests were counted twice. Pure.
 */
import type { Measure } from '../../../api/index.ts';
import type { CallerRequest } from '../history/events.ts';
import {
  admittedAtOnce,
  mayCrossWindow,
  mostAdmitted,
  type RateLimit,
  type Span,
} from '../limits/rate-limit.ts';
import { code, figure } from './checker.ts';
import { isOfTraffic, type OutageSeen, type OutageSetup, settingsOf } from './outage-seen.ts';
import { recoveryIn } from './recovery.ts';
import { asOfOneLimit } from './requests.ts';

/** Limits up to this size are reconciled: each has to be used up after the fault. */
export const MOST_ACCOUNTED = 200;

/** Rejections in a row of every pod after which a limit counts as used up. */
const REJECTIONS = 2;

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

/** Why counts are not known. */
export type WhyUnknown =
  | NonNullable<ReturnType<typeof whyNoAccount>>
  | { readonly code: 'CountHidden' | 'NoAccounts' | 'NoneInFault' | 'NotUsedUp' | 'WindowMayHaveEnded' };

/** A balance, or why it is unknown. */
type Balanced = Balance | { readonly unknown: WhyUnknown };

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
  if (mayCrossWindow(limit, span)) return { unknown: code('WindowMayHaveEnded') };
  const full = admittedAtOnce(limit);
  if (oneLimit && served > full && admittedAfter === 0) return { unknown: code('CountHidden') };
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

/** What is known of the counts of all callers. If nothing was measured, `found` has the reason. */
export interface Reconciliation {
  readonly measures: readonly Measure[];
  readonly found: ReturnType<typeof unknownCounts> | ReturnType<typeof knownCounts>;
}

const unknownCounts = (callers: number, why: WhyUnknown) => code('CountsUnknown', { callers, why });
const knownCounts = (callers: number, balance: Balance) => code('CountsReconciled', { callers, ...balance });

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
export function whyNoAccount(limit: RateLimit, well: boolean, ofOneLimit?: readonly CallerRequest[]) {
  if (admittedAtOnce(limit) > MOST_ACCOUNTED) return code('LimitTooLarge', { most: MOST_ACCOUNTED });
  if (!well) return code('RecoveryNotShown');
  if (!ofOneLimit) return undefined;
  if (limit.algorithm === 'TokenBucket') return code('Refilled');
  return ofOneLimit.some(({ caller, outcome }) => caller === 'Under' && outcome === 'Rejected')
    ? code('RejectedWithin')
    : undefined;
}

/** The requests of one caller in the fault, and those that used its limit up afterwards. */
export interface AccountRequests {
  readonly during: readonly CallerRequest[];
  readonly after: readonly CallerRequest[];
}

type Accounts = Pick<OutageSetup, 'clockWithinMs' | 'isOneCaller' | 'limit' | 'pods'>;

/** Reconciles the counts of callers, each with a limit of its own. @param why as {@link whyNoAccount} */
export function reconcile(
  accounts: Accounts,
  callers: readonly AccountRequests[],
  why: WhyUnknown | undefined,
): Reconciliation {
  const balances = callers.map(
    (caller): Balanced => (why === undefined ? balanceIn(accounts, caller) : { unknown: why }),
  );
  const unknown = balances.flatMap((one) => ('unknown' in one ? one.unknown : []));
  const [reason = callers.length === 0 ? (why ?? code('NoAccounts')) : undefined] = unknown;
  if (reason !== undefined) return { measures: [], found: unknownCounts(unknown.length, reason) };
  const known = balances.flatMap((one) => ('unknown' in one ? [] : one));
  const sum = (of: keyof Balance): number => known.reduce((all, balance) => all + balance[of], 0);
  const figures = { underCounted: sum('underCounted'), overCounted: sum('overCounted') };
  const hidden = sum('hidden');
  return {
    measures: Object.entries(figures).map(([name, value]) => ({
      ...figure(name, value),
      ...(hidden > 0 && { atLeast: true }),
    })),
    found: knownCounts(callers.length, { ...figures, hidden, withoutRequest: sum('withoutRequest') }),
  };
}

function balanceIn(
  { clockWithinMs, isOneCaller, limit, pods }: Accounts,
  { after, during }: AccountRequests,
): Balanced {
  const [first] = during;
  const last = after.at(-1);
  if (!first) return { unknown: code('NoneInFault') };
  const failed = after.some(({ outcome }) => outcome === 'Error' || outcome === 'Timeout');
  if (!last || failed || !isUsedUp(after, pods.length)) return { unknown: code('NotUsedUp') };
  const admittedOf = (requests: readonly CallerRequest[]): number =>
    requests.filter(({ outcome }) => outcome === 'Admitted').length;
  const served = admittedOf(during);
  const account = {
    served,
    notAdmitted: during.length - served,
    admittedAfter: admittedOf(after),
    span: { from: first.sentAt, to: last.endedAt, fresh: true, clockWithinMs },
  };
  return balanceOf(limit, account, isOneCaller);
}

/** Requests of callers whose limits are used up after the fault to reconcile their counts. */
function accountRequests({ requests }: OutageSeen): readonly CallerRequest[] {
  return requests.filter(({ caller }) => caller === 'Account');
}

/** Those of them that used their limits up. */
export function exhaustedIn(seen: OutageSeen): readonly string[] {
  const { accounts } = seen.last;
  return accounts ? usedUpKeys(accountRequests(seen), accounts.at, seen.setup.pods.length) : [];
}

/** Requests of the one caller whose limit was replenished before the fault, by their turn. */
function ofOneLimit(seen: OutageSeen): readonly CallerRequest[] {
  const settings = settingsOf(seen);
  return asOfOneLimit(settings, seen.requests.filter(isOfTraffic)).filter(
    ({ sentAt }) => sentAt >= seen.setup.preparedAt,
  );
}

/** See {@link whyNoAccount}. */
export function whyNoAccountIn(seen: OutageSeen): WhyUnknown | undefined {
  const { isOneCaller, limit } = seen.setup;
  const isWell = recoveryIn(seen)?.code === 'Recovered';
  return whyNoAccount(limit, isWell, isOneCaller ? ofOneLimit(seen) : undefined);
}

/** The reconciled counts; undefined until the limits were used up. */
export function accountsIn(seen: OutageSeen): Reconciliation | undefined {
  const { last, setup } = seen;
  if (!last.accounts || !last['accounts-ended']) return undefined;
  const { at, keys } = last.accounts;
  const requests = accountRequests(seen);
  const byKey = Map.groupBy(requests, ({ key }) => key);
  const callers = keys.map((key) => {
    const own = byKey.get(key) ?? [];
    return {
      during: own.filter(({ sentAt }) => sentAt < at),
      after: own.filter(({ sentAt }) => sentAt >= at),
    };
  });
  const ofOne = [{ during: ofOneLimit(seen), after: requests }];
  return reconcile(setup, setup.isOneCaller ? ofOne : callers, whyNoAccountIn(seen));
}

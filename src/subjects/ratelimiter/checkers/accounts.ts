/**
 * The accounts after the fault, by what the limiter still lets through: it needs no look
 * into Redis. A caller that was served without being counted has more left than it should
 * (lost counts). One that was counted without being served has less left (over-counted: queued
 * writes that were carried out after their caller had got an error), and so has one whose requests were counted twice.
 * Pure.
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

/** Limits up to that are reconciled: each has to be used up after the fault. */
export const MOST_ACCOUNTED = 200;

/** Rejections in a row of every pod after which a limit counts as used up. */
export const REJECTIONS = 2;

/** Why a balance is not known. */
const WINDOW_MAY_END = 'a window may have ended between its first request and its last';

/** One caller's requests, all within one window. */
export interface Account {
  /** Requests that were admitted before and during the fault. */
  readonly served: number;
  /** Requests that were rejected, failed or had no answer. */
  readonly notAdmitted: number;
  /** Requests that were admitted after the fault, until the limiter rejected one; all answered. */
  readonly admittedAfter: number;
  /** From the first request to the last, with what is known of it. */
  readonly span: Span;
}

export interface Balance {
  /** Served and never counted. */
  readonly underCounted: number;
  /** Counted and never served. */
  readonly overCounted: number;
  /** Gone from the limit beyond all that was asked for, as where requests are counted twice. */
  readonly unasked: number;
  /** How much more of each may not show: tokens that came back meanwhile, or nothing that was left. */
  readonly hidden: number;
}

/**
 * Each is the least that it can be: if tokens come back in that time, more may be under-counted or over-counted.
 * Undefined where the end of a window may lie within.
 */
export function balanceOf(
  limit: RateLimit,
  { admittedAfter, notAdmitted, served, span }: Account,
): Balance | undefined {
  if (mayCrossWindow(limit, span)) return undefined;
  const full = admittedAtOnce(limit);
  const refilled = mostAdmitted(limit, span) - full;
  const admitted = served + admittedAfter;
  const gone = Math.max(0, full - admitted);
  // No more can be counted without being served than was asked for.
  const overCounted = Math.min(notAdmitted, gone);
  return {
    underCounted: Math.max(0, admitted - full - refilled),
    overCounted,
    unasked: gone - overCounted,
    // One that was served all of its limit has nothing left that could be gone.
    hidden: served >= full ? Math.max(1, refilled) : refilled,
  };
}

/**
 * The same where one caller made all requests of the fault, those beyond its limit, too: more than the limit may have
 * been served and counted all the same, unless some of the limit is left in the end.
 */
export function balanceOfOne(limit: RateLimit, account: Account): Balance | { readonly unknown: string } {
  const balance = balanceOf(limit, account);
  if (!balance) return { unknown: WINDOW_MAY_END };
  const { admittedAfter, served } = account;
  if (served > admittedAtOnce(limit) && admittedAfter === 0) {
    return { unknown: 'more than the limit was served, and how much of that was counted nobody can tell' };
  }
  return balance;
}

/** What the accounts of one fault come to. Nothing measured: they are not known, and `message` has why. */
export interface Reconciliation {
  readonly measures: readonly Measure[];
  readonly message: string;
}

interface Accounts {
  readonly limit: RateLimit;
  /** How many pods there are. */
  readonly pods: number;
  /** How far the limiter's clock may be from ours; milliseconds. */
  readonly clockWithinMs: number;
  /** Whether callers were admitted as before by then: a limiter that still rejects for the fault's sake has not counted. */
  readonly well: boolean;
}

/** Whether every pod rejects its caller by the end of these, so that nothing of the limit is left. */
export function isUsedUp(requests: readonly CallerRequest[], pods: number): boolean {
  const last = requests.slice(-REJECTIONS * pods);
  return pods > 0 && last.length === REJECTIONS * pods && last.every(({ outcome }) => outcome === 'Rejected');
}

/** Callers that used their limits up after `readFrom`, by key. */
export function usedUpKeys(requests: readonly CallerRequest[], readFrom: number, pods: number): string[] {
  const after = requests.filter(({ sentAt }) => sentAt >= readFrom);
  return [...Map.groupBy(after, ({ key = '' }) => key)].flatMap(([key, own]) =>
    isUsedUp(own, pods) ? [key] : [],
  );
}

/**
 * The accounts of several callers, each with a limit of its own: part of it was requested in the fault, and the rest
 * from `readFrom` on.
 */
export function reconcile(
  { clockWithinMs, limit, pods, well }: Accounts,
  keys: readonly string[],
  requests: readonly CallerRequest[],
  readFrom: number,
): Reconciliation {
  if (keys.length === 0) {
    return { measures: [], message: `counts are not reconciled for limits above ${MOST_ACCOUNTED}` };
  }
  const unknownOf = (callers: number): string => `the counts of ${counted(callers, 'caller')} are not known`;
  if (!well) {
    const why = 'callers had not recovered when the watch ended';
    return { measures: [], message: `${unknownOf(keys.length)}: ${why}` };
  }
  const byKey = Map.groupBy(requests, ({ key = '' }) => key);
  const accounts = keys.flatMap((key) => {
    const { after = [], during = [] } = Object.groupBy(byKey.get(key) ?? [], ({ sentAt }) =>
      sentAt < readFrom ? 'during' : 'after',
    );
    return (isUsedUp(after, pods) && accountOf(during, after, clockWithinMs)) || [];
  });
  if (accounts.length < keys.length)
    return { measures: [], message: unknownOf(keys.length - accounts.length) };
  const known = accounts.flatMap((account) => balanceOf(limit, account) ?? []);
  if (known.length < keys.length) {
    return { measures: [], message: `${unknownOf(keys.length - known.length)}: ${WINDOW_MAY_END}` };
  }
  const sum = (figure: keyof Balance): number => known.reduce((all, balance) => all + balance[figure], 0);
  const all = {
    underCounted: sum('underCounted'),
    overCounted: sum('overCounted'),
    unasked: sum('unasked'),
    hidden: sum('hidden'),
  };
  return {
    measures: figuresOf(all),
    message: `of ${counted(keys.length, 'caller')} ${balanceText(all)}`,
  };
}

/** Why the account of the one caller cannot be known, whatever its requests come to; undefined: it may be. */
export function whyNoAccount(
  { limit, well }: Pick<Accounts, 'limit' | 'well'>,
  since: readonly CallerRequest[],
): string | undefined {
  if (limit.algorithm === 'TokenBucket') return 'what was used comes back all the time';
  if (admittedAtOnce(limit) > MOST_ACCOUNTED)
    return `limits above ${MOST_ACCOUNTED} are not used up once more`;
  if (since.length === 0) return 'nothing was asked';
  if (!well) return 'the rate limiter was not well again';
  if (since.some(({ caller, outcome }) => caller === 'Under' && outcome === 'Rejected')) {
    return 'it rejected requests within the limit, and may still do so for a reason other than its count';
  }
  return undefined;
}

/**
 * The account of the one caller that made all requests.
 * @param since its requests in and after the fault, as `asOfOneLimit` has them
 * @param used those by which it used up what was left
 */
export function reconcileOne(
  accounts: Accounts,
  since: readonly CallerRequest[],
  used: readonly CallerRequest[],
): Reconciliation {
  const { clockWithinMs, limit, pods } = accounts;
  const unknown = (why: string): Reconciliation => ({
    measures: [],
    message: `the accounts are not known: ${why}`,
  });
  const why = whyNoAccount(accounts, since);
  const [first] = since;
  const last = used.at(-1);
  if (why !== undefined || !first) return unknown(why ?? 'nothing was asked');
  if (!last || !isUsedUp(used, pods)) return unknown('not every pod rejected in the end');
  const served = admittedOf(since);
  const account: Account = {
    served,
    notAdmitted: since.length - served,
    admittedAfter: admittedOf(used),
    span: { from: first.sentAt, to: last.endedAt, fresh: true, clockWithinMs },
  };
  const balance = balanceOfOne(limit, account);
  if ('unknown' in balance) return unknown(balance.unknown);
  const { underCounted, overCounted } = balance;
  return {
    measures: figuresOf({ underCounted, overCounted, hidden: 0 }),
    message: `of its limit of ${admittedAtOnce(limit)} ${counted(account.admittedAfter, 'request')} ${account.admittedAfter === 1 ? 'was' : 'were'} left: at least ${counted(underCounted, 'request')} admitted and never counted, ${counted(overCounted, 'request')} counted and not admitted in time`,
  };
}

function figuresOf({
  hidden,
  underCounted,
  overCounted,
}: Pick<Balance, 'hidden' | 'underCounted' | 'overCounted'>): Measure[] {
  const atLeast = hidden > 0;
  return Object.entries({ underCounted, overCounted }).map(([name, value]) => ({
    name,
    value,
    unit: 'requests',
    ...(atLeast && { atLeast }),
  }));
}

function admittedOf(requests: readonly CallerRequest[]): number {
  return requests.filter(({ outcome }) => outcome === 'Admitted').length;
}

/** What one caller requested during and after the fault; undefined if it is not known. */
function accountOf(
  during: readonly CallerRequest[],
  after: readonly CallerRequest[],
  clockWithinMs: number,
): Account | undefined {
  const [first] = during;
  const last = after.at(-1);
  if (!first || !last || after.some(({ outcome }) => outcome === 'Error' || outcome === 'Timeout'))
    return undefined;
  const served = admittedOf(during);
  return {
    served,
    notAdmitted: during.length - served,
    admittedAfter: admittedOf(after),
    span: { from: first.sentAt, to: last.endedAt, fresh: true, clockWithinMs },
  };
}

/** What all accounts together come to, in words. */
function balanceText({ hidden, underCounted, overCounted, unasked }: Balance): string {
  if (underCounted + overCounted + unasked === 0) {
    return hidden > 0
      ? 'none was seen that was admitted and never counted, or counted and not admitted in time, and some may not show'
      : 'what was served was counted, and nothing else';
  }
  const least = hidden > 0 ? 'at least ' : '';
  const parts = [
    `${least}${counted(underCounted, 'request')} admitted and never counted`,
    `${least}${counted(overCounted, 'request')} counted and not admitted in time`,
  ];
  const more = `and at least ${unasked} more gone from their limits than they asked for, as where requests are counted more than once`;
  return [...parts, ...(unasked > 0 ? [more] : [])].join(', ');
}

/**
 * The accounts after the fault, by what the limiter still lets through: it needs no look
 * into Redis. A caller that was served without being counted has more left than it should
 * (lost counts). One that was counted without being served has less left (phantoms: queued
 * writes that were carried out after their caller had got an error), and so has one whose requests were counted twice.
 * Pure.
 */
import {
  admittedAtOnce,
  mayCrossWindow,
  mostAdmitted,
  type RateLimit,
  type Span,
} from '../../limits/rate-limit.ts';

/** One caller's requests, all within one window. */
export interface Account {
  /** Requests that were admitted before and during the fault. */
  readonly served: number;
  /** Requests that were denied, failed or had no answer. */
  readonly notServed: number;
  /** Requests that were admitted after the fault, until the limiter denied one; all answered. */
  readonly admittedAfter: number;
  /** From the first request to the last, with what is known of it. */
  readonly span: Span;
}

export interface Balance {
  /** Served and never counted. */
  readonly lost: number;
  /** Counted and never served. */
  readonly phantoms: number;
  /** Gone from the limit beyond all that was asked for, as where requests are counted twice. */
  readonly unasked: number;
  /** How much more of each may not show: tokens that came back meanwhile, or nothing that was left. */
  readonly hidden: number;
}

/**
 * Each is the least that it can be: where tokens come back meanwhile, more may be lost, or more be phantoms.
 * Undefined where the end of a window may lie within.
 */
export function balanceOf(
  limit: RateLimit,
  { admittedAfter, notServed, served, span }: Account,
): Balance | undefined {
  if (mayCrossWindow(limit, span)) return undefined;
  const full = admittedAtOnce(limit);
  const refilled = mostAdmitted(limit, span) - full;
  const admitted = served + admittedAfter;
  const gone = Math.max(0, full - admitted);
  // No more can be counted without being served than was asked for.
  const phantoms = Math.min(notServed, gone);
  return {
    lost: Math.max(0, admitted - full - refilled),
    phantoms,
    unasked: gone - phantoms,
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
  if (!balance) return { unknown: 'the end of a window may lie within' };
  const { admittedAfter, served } = account;
  if (served > admittedAtOnce(limit) && admittedAfter === 0) {
    return { unknown: 'more than the limit was served, and how much of that was counted nobody can tell' };
  }
  return balance;
}

/**
 * The accounts after the fault, by what the limiter still lets through: it needs no look
 * into Redis. A caller that was served without being counted has more left than it should
 * (lost counts). One that was counted without being served has less left (phantoms: queued
 * writes that were carried out after their caller had got an error). Pure.
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
  return {
    lost: Math.max(0, admitted - full - refilled),
    // No more can be counted without being served than was asked for.
    phantoms: Math.min(notServed, Math.max(0, full - admitted)),
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

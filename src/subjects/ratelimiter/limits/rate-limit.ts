/**
 * What a rate limit promises: the rule by which it counts, and thus the most that it may admit within a span of time. Each
 * bound is derived in docs/research/limits.md. Pure. The bounds hold for all traffic of a caller and for every phase of the
 * windows. More than the bound is a violation, whatever the implementation.
 */

/** What every limit has. */
export interface Figures {
  readonly requests: number;
  readonly windowMs: number;
}

/** Consecutive windows; each admits `requests`. */
export interface FixedWindow extends Figures {
  readonly algorithm: 'FixedWindow';
  /**
   * A window begins with the first request after the last window, or anew with each request (also a rejected one), or at
   * multiples of its length. EachKey: it ends at moments of each caller, a window apart.
   */
  readonly start: 'FirstRequest' | 'EachRequest' | 'Clock' | 'EachKey';
}

/**
 * SlidingWindow: every span of the window's length admits `requests`, as with a log of admissions in a sorted set.
 * SlidingWindowCounter: windows by the clock; admissions of the last one count by the share of it that is still in the
 * window.
 */
interface Sliding extends Figures {
  readonly algorithm: 'SlidingWindow' | 'SlidingWindowCounter';
}

/** A bucket of `capacity` tokens, refilled by `requests` in each window; GCRA counts the same. */
export interface TokenBucket extends Figures {
  readonly algorithm: 'TokenBucket';
  /** Requests that a full bucket admits at once. */
  readonly capacity: number;
  /** Tokens are added in lumps, this far apart; undefined: one by one, as time passes. */
  readonly refillEveryMs?: number;
}

export type RateLimit = FixedWindow | Sliding | TokenBucket;

/** Rules of the same limit, one of which the limiter counts by; at least one. */
export type Rules = readonly RateLimit[];

/** The time in which requests were admitted, as far as known. */
export interface Span {
  /** No admission was earlier, and none later; milliseconds since the epoch by one clock. */
  readonly from: number;
  readonly to: number;
  /** Whether the key was never used before `from`. */
  readonly fresh?: boolean;
  /** How far the limiter's clock may be from ours, in milliseconds; undefined: not known. */
  readonly clockWithinMs?: number | undefined;
}

/** The rates of two clocks differ by less than this; it adds up over many windows. */
export const CLOCK_RATE = 1e-3;
/** Limiters count in whole milliseconds, so each window may be shorter by one. */
export const GRAIN_MS = 1;

/** The longest that a span takes by the limiter's clock; milliseconds. */
function lengthOf({ from, to }: Span): number {
  const ms = Math.max(0, to - from);
  return ms === 0 ? 0 : ms * (1 + CLOCK_RATE) + GRAIN_MS;
}

/**
 * The most requests of one key that a limiter which keeps `limit` admits within `span`. A different key, or more time,
 * admits more.
 */
export function mostAdmitted(limit: RateLimit, span: Span): number {
  const { requests, windowMs } = limit;
  const lengthMs = lengthOf(span);
  switch (limit.algorithm) {
    case 'FixedWindow':
      return requests * windowsTouched(limit, span, lengthMs);
    case 'SlidingWindow':
      // This many half-open spans of the window's length cover a closed one.
      return requests * (Math.floor(lengthMs / (windowMs - GRAIN_MS)) + 1);
    case 'SlidingWindowCounter': {
      const ends = clockEnds(windowMs, span, lengthMs);
      // Within one window its own count is already bounded. Across its end the share of the last window decreases
      // linearly; a limiter that rounds that share down admits one more in each window.
      return ends === 0 ? requests : requests + Math.ceil((requests * lengthMs) / windowMs) + ends;
    }
    case 'TokenBucket':
      return limit.capacity + refilled(limit, lengthMs);
    default:
      return limit satisfies never;
  }
}

/** The most that any of these admits within `span`. */
export function mostOf(rules: Rules, span: Span): number {
  const widest = rules.find((rule) => rule.algorithm === 'FixedWindow' && rule.start === 'EachKey');
  // No other rule of the same limit admits more.
  if (widest) return mostAdmitted(widest, span);
  return rules.reduce((most, rule) => Math.max(most, mostAdmitted(rule, span)), 0);
}

/** The most that a limiter which counts by the strictest of these admits within `span`. */
export function leastOf(rules: Rules, span: Span): number {
  return rules.reduce((least, rule) => Math.min(least, mostAdmitted(rule, span)), Infinity);
}

/** The most that a limiter admits at once to a new caller. */
export function admittedAtOnce(rules: Rules): number {
  return mostOf(rules, { from: 0, to: 0, fresh: true, clockWithinMs: 0 });
}

/** Whether windows end by the clock. */
export function followsClock(rule: RateLimit): boolean {
  return rule.algorithm === 'FixedWindow' ? rule.start === 'Clock' : fades(rule);
}

/** Whether a window counts a share of the one before. */
export function fades({ algorithm }: RateLimit): boolean {
  return algorithm === 'SlidingWindowCounter';
}

function windowsTouched({ start, windowMs }: FixedWindow, span: Span, lengthMs: number): number {
  if (start === 'Clock') return clockEnds(windowMs, span, lengthMs) + 1;
  const windows = lengthMs / (windowMs - GRAIN_MS);
  // The first window begins within the span if a request begins it, and there was none before.
  const isFirst = span.fresh && start !== 'EachKey';
  return (isFirst ? Math.floor(windows) : Math.ceil(windows)) + 1;
}

/** At most how many ends of windows that begin at multiples of their length may lie within the span. */
function clockEnds(windowMs: number, { clockWithinMs, from, to }: Span, lengthMs: number): number {
  const anyPhase = Math.ceil(lengthMs / windowMs);
  if (clockWithinMs === undefined) return anyPhase;
  const windowOf = (at: number): number => Math.floor(at / windowMs);
  return Math.min(anyPhase, windowOf(to + clockWithinMs) - windowOf(from - clockWithinMs));
}

function refilled({ refillEveryMs, requests, windowMs }: TokenBucket, lengthMs: number): number {
  if (refillEveryMs === undefined) return Math.floor((requests * lengthMs) / windowMs);
  const lumps = Math.ceil(lengthMs / refillEveryMs);
  return Math.ceil((lumps * requests * refillEveryMs) / windowMs);
}

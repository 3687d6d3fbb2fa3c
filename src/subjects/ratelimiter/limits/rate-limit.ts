/**
 * What a rate limit promises: its counting algorithm, and thus the most that it may admit within a span of time. Each
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
   * Whether a window begins with the first request after the last one, or at multiples of its length. Unknown: neither
   * is known, nor whether there are windows, or windows of each caller end at another moment.
   */
  readonly start: 'FirstRequest' | 'Clock' | 'Unknown';
}

/**
 * SlidingWindow: every span of the window's length admits `requests`, as with a log of admissions in a sorted set.
 * SlidingWindowCounter: windows by the clock; admissions of the last one count by the share of it that is still in the
 * window.
 */
interface Sliding<A extends 'SlidingWindow' | 'SlidingWindowCounter'> extends Figures {
  readonly algorithm: A;
}

/** A bucket of `capacity` tokens, refilled by `requests` in each window; GCRA counts the same. */
export interface TokenBucket extends Figures {
  readonly algorithm: 'TokenBucket';
  /** Requests that a full bucket admits at once. */
  readonly capacity: number;
  /** Tokens are added in lumps, this far apart; undefined: one by one, as time passes. */
  readonly refillEveryMs?: number;
}

export type RateLimit =
  | FixedWindow
  | Sliding<'SlidingWindow'>
  | Sliding<'SlidingWindowCounter'>
  | TokenBucket;

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

/** Whether it is not known when windows end, so that one may end at any time. */
export function endsAnytime(limit: RateLimit): boolean {
  return limit.algorithm === 'FixedWindow' && limit.start === 'Unknown';
}

/**
 * The limit while no window ends: for an unknown start, the algorithm that admits most then. A log of admissions, or
 * windows from the first request, admit no more than a bucket.
 */
export function unlessWindowEnds(limit: RateLimit): RateLimit {
  return endsAnytime(limit) ? { ...limit, algorithm: 'TokenBucket', capacity: limit.requests } : limit;
}

/** The most that it admits at once to a new caller. */
export function admittedAtOnce(limit: RateLimit): number {
  return mostAdmitted(limit, { from: 0, to: 0, fresh: true, clockWithinMs: 0 });
}

/** Whether windows end by the clock, or may do so. */
export function mayFollowClock(limit: RateLimit): boolean {
  if (limit.algorithm === 'FixedWindow') return limit.start !== 'FirstRequest';
  return limit.algorithm === 'SlidingWindowCounter';
}

/** Whether a window counts, or may count, a share of the one before. */
export function mayFade(limit: RateLimit): boolean {
  return limit.algorithm === 'SlidingWindowCounter' || endsAnytime(limit);
}

function windowsTouched({ start, windowMs }: FixedWindow, span: Span, lengthMs: number): number {
  if (start === 'Clock') return clockEnds(windowMs, span, lengthMs) + 1;
  const windows = lengthMs / (windowMs - GRAIN_MS);
  // The first window begins within the span if a request begins it, and there was none before.
  const isFirst = span.fresh && start === 'FirstRequest';
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

/**
 * What a limiter that keeps its limit certainly still owes a caller: a request within it has to be admitted. The
 * counterpart of `mostAdmitted`, derived in docs/research/limits.md. Pure.
 */
import {
  admittedAtOnce,
  CLOCK_RATE,
  fades,
  GRAIN_MS,
  type RateLimit,
  type Rules,
  type TokenBucket,
} from './rate-limit.ts';

/** One request of a caller; milliseconds since the epoch by one clock. */
interface SentRequest {
  readonly sentAt: number;
  /** When its answer arrived, or its caller gave up. */
  readonly endedAt: number;
  /** Until when the limiter may have counted it, if that can be later than `endedAt`. */
  readonly countedBy?: number;
  /** Whether the limiter decided that it was not within the limit. */
  readonly isRejected: boolean;
}

/** How a limiter forgets requests; times by its clock, in milliseconds. */
function memoryOf(rule: RateLimit) {
  const { algorithm, windowMs } = rule;
  return {
    /** A request counts whole for this long. */
    wholeMs: algorithm === 'TokenBucket' ? refillMs(rule) : windowMs,
    /** After that its weight fades for so long. */
    fadesMs: fades(rule) ? windowMs : 0,
    /** Whether a request may keep those before it from being forgotten: the key expires once there was none for `wholeMs`. */
    isExtended: algorithm === 'FixedWindow' && rule.start === 'EachRequest',
  };
}

/** From an empty bucket to a full one, in milliseconds; if tokens are added in lumps, the first may be a lump away. */
export function refillMs({ capacity, refillEveryMs = 0, requests, windowMs }: TokenBucket): number {
  return Math.ceil((capacity * windowMs) / requests) + refillEveryMs;
}

/**
 * Which of these requests were owed by every rule. Every other request that was sent before one may have been counted
 * before it, whatever its outcome; before a rejection, every one that was sent before it arrived.
 * @param requests all of one caller, whose key was unused before them, in any order
 */
export function owedOf<R extends SentRequest>(rules: Rules, requests: readonly R[]): Set<R> {
  const full = admittedAtOnce(rules);
  const origin = requests[0]?.sentAt ?? 0;
  const sentAts = inOrder(requests, ({ sentAt }) => sentAt - origin);
  const countedBy = inOrder(requests, ({ countedBy = 0, endedAt }) => Math.max(countedBy, endedAt) - origin);
  const memories = new Map(rules.map(memoryOf).map((memory) => [Object.values(memory).join(), memory]));
  const forgotten = [...memories.values()].map((memory) => forgottenBy(memory, sentAts, countedBy));
  const [bucket, ...others] = rules;
  const isBucket = bucket?.algorithm === 'TokenBucket' && others.length === 0;
  const leftAt = isBucket ? tokensLeft(bucket, countedBy) : undefined;
  return new Set(
    requests
      .toSorted((a, b) => a.sentAt - b.sentAt)
      .filter((request, i) => {
        const at = request.sentAt - origin;
        const before = request.isRejected
          ? Math.max(i, countBelow(sentAts, request.endedAt - origin) - 1)
          : i;
        if (forgotten.every((by) => before - by(at) <= full - 1)) return true;
        if (!leftAt) return false;
        const counted = countBelow(countedBy, at);
        return leftAt(counted, at) - (before - counted) >= 1;
      }),
  );
}

/** @returns how many requests a limiter has forgotten by a time, at least; parts of them count */
function forgottenBy(
  { fadesMs, isExtended, wholeMs }: ReturnType<typeof memoryOf>,
  sentAts: Float64Array,
  countedBy: Float64Array,
): (at: number) => number {
  const ours = (ms: number): number => ms * (1 + CLOCK_RATE) + GRAIN_MS;
  const whole = ours(wholeMs);
  if (isExtended) {
    // The first requests after a gap: all before it were counted so long ago.
    const gaps: number[] = [];
    for (const [i, at] of sentAts.entries()) {
      if (i > 0 && countBelow(countedBy, at - whole) === i) gaps.push(i);
    }
    return (at) => gaps.findLast((first) => (sentAts[first] ?? at) <= at) ?? 0;
  }
  if (fadesMs === 0) return (at) => countBelow(countedBy, at - whole);
  const sums = sumsOf(countedBy);
  return (at) => {
    const [gone, fading] = [
      countBelow(countedBy, at - whole - ours(fadesMs)),
      countBelow(countedBy, at - whole),
    ];
    const age = (fading - gone) * (at - whole) - ((sums[fading] ?? 0) - (sums[gone] ?? 0));
    return gone + age / ours(fadesMs);
  };
}

/** @returns the tokens that are left at a time after the first `counted` requests, at least */
function tokensLeft(
  { capacity, refillEveryMs = 0, requests, windowMs }: TokenBucket,
  countedBy: Float64Array,
): (counted: number, at: number) => number {
  const perMs = (requests / windowMs) * (1 - CLOCK_RATE);
  const refilled = (from: number, to: number): number => Math.max(0, to - from - GRAIN_MS) * perMs;
  let [left, last] = [capacity, 0];
  const after = countedBy.map((at) => {
    left = Math.max(0, Math.min(capacity, left + refilled(last, at)) - 1);
    last = at;
    return left;
  });
  const lump = refillEveryMs * perMs;
  return (counted, at) => {
    const [known = capacity, since = at] = [after[counted - 1], countedBy[counted - 1]];
    return Math.min(capacity, known + refilled(since, at)) - lump;
  };
}

function inOrder(requests: readonly SentRequest[], of: (request: SentRequest) => number): Float64Array {
  return Float64Array.from(requests, of).sort();
}

/** The sum of the first n of these, for each n. */
function sumsOf(all: Float64Array): Float64Array {
  const sums = new Float64Array(all.length + 1);
  for (const [i, one] of all.entries()) sums[i + 1] = (sums[i] ?? 0) + one;
  return sums;
}

/** How many of these, in order, are below `bound`. */
function countBelow(sorted: Float64Array, bound: number): number {
  let [below, above] = [0, sorted.length];
  while (below < above) {
    const middle = (below + above) >>> 1;
    if ((sorted[middle] ?? bound) < bound) below = middle + 1;
    else above = middle;
  }
  return below;
}

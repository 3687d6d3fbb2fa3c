/**
 * Measures how a caller gets its limit back. Time is that of a clock, which a test replaces.
 */

/** Sends requests of one caller until one is rejected, `most` at most; returns how many were admitted. */
export type Use = (most: number) => Promise<number>;

/** Time in milliseconds. */
export interface Clock {
  now(): number;
  sleep(ms: number): Promise<void>;
}

export type Counting = 'FixedWindow' | 'SlidingWindow' | 'SlidingWindowCounter';

/** A caller that used `first` of its `requests`, and the rest later, got `admitted` back a window after the first part. */
export interface Parts {
  readonly requests: number;
  readonly first: number;
  readonly admitted: number;
  /** The only way of counting that fits; undefined if several do, or none. */
  readonly counting: Counting | undefined;
}

export interface Measured {
  /** `Unknown`: both starts fit. */
  readonly window?: { readonly seconds: number; readonly start: 'FirstRequest' | 'Clock' | 'Unknown' };
  /** If the limit is returned one request after the other: how long all of it takes. */
  readonly bucketSeconds?: number;
  readonly parts?: Parts | undefined;
}

/** Longer windows are not measured. */
export const MOST_SECONDS = 60;
const MOST_WAIT_MS = 65_000;
/** Between two requests: this part of the time since the first, and at least so many milliseconds. */
const PART = 0.01;
const LEAST_MS = 50;
/** An answer may be on its way for so long. */
const SLACK_MS = 100;

/** Windows and limits whose parts show anything with a few hundred requests. */
const LEAST_SECONDS = 4;
const MOST_REQUESTS = 100;
/** Limiters may count in whole seconds, and so end a window later. */
const LATE_MS = 1_200;
const BETWEEN_MS = 6_000;
/** The second part ends before the next window by the clock begins. */
const ROOM_MS = 1_000;
/** From this limit on, a returned request more or less is no difference. */
const TOLERANT_FROM = 8;

/** The last request of a caller that was rejected was sent at `rejectedAt`; the next was answered at `at`. */
interface Return {
  readonly rejectedAt: number;
  readonly at: number;
}

/** Whether a caller that used its limit up gets one request back in its share of the window, and no more. */
export async function measureBucket(
  use: Use,
  known: { readonly mostMs: number; readonly requests: number; readonly seconds: number },
  clock: Clock,
): Promise<Measured> {
  const { mostMs, requests, seconds: bucketSeconds } = known;
  const waitMs = (1250 * bucketSeconds) / requests;
  if (requests === 1 || waitMs > mostMs) return {};
  const one = await untilReturned(use, clock, waitMs, 5 * PART);
  return one && (await use(1)) === 0 ? { bucketSeconds } : {};
}

/** Whether {@link measureParts} can show anything about such a limit. */
export function hasParts(requests: number, seconds: number): boolean {
  return requests > 1 && requests <= MOST_REQUESTS && seconds >= LEAST_SECONDS && seconds <= MOST_SECONDS;
}

/**
 * Distinguishes fixed from sliding windows. A new caller uses its limit in two parts, some seconds apart, and sends again
 * a window after the first part: a fixed window has returned all by then, a log only the first part. Undefined if the
 * answers were too slow to show anything, or not as before.
 */
export async function measureParts(
  use: Use,
  requests: number,
  seconds: number,
  { now, sleep }: Clock,
): Promise<Parts | undefined> {
  const windowMs = 1000 * seconds;
  const lateMs = Math.min(LATE_MS, windowMs / 10);
  const betweenMs = Math.min(BETWEEN_MS, windowMs / 4);
  const phaseAt = (ms: number): number => (ms % windowMs) / windowMs;
  const leftMs = windowMs * (1 - phaseAt(now()));
  if (leftMs < betweenMs + ROOM_MS) await sleep(leftMs + lateMs);
  // As far as possible from what weighted counts of two windows would admit.
  const share = phaseAt(now() + lateMs) < 0.5 ? 0.75 : 0.25;
  const first = Math.min(requests - 1, Math.ceil(requests * share));
  if ((await use(first)) < first) return undefined;
  const usedAt = now();
  await sleep(betweenMs);
  if ((await use(requests - first)) < requests - first) return undefined;
  await sleep(usedAt + windowMs + lateMs - now());
  const weighted = requests * phaseAt(now());
  const admitted = await use(requests);
  // Before the second part is returned as well.
  if (now() - usedAt > windowMs + 0.9 * betweenMs) return undefined;
  const expected = { FixedWindow: requests, SlidingWindow: first, SlidingWindowCounter: weighted };
  const tolerance = requests < TOLERANT_FROM ? 0 : 1;
  const [counting, ...others] = (Object.keys(expected) as Counting[]).filter(
    // If nothing was admitted, the window may be longer. A weighted count is rounded up or down.
    (name) => admitted > 0 && Math.trunc(Math.abs(admitted - expected[name])) <= tolerance,
  );
  return { requests, first, admitted, counting: others.length === 0 ? counting : undefined };
}

/**
 * Takes two windows of a caller that used its limit up. It gets it back at the end of its window, uses it up at once,
 * and gets it back again: the time between is a whole window, whether windows begin with a request or by the clock. The
 * first return shows which: by the clock, the caller had only the rest of a window.
 * @param firstAt when its first answer arrived
 * @param other a new caller for {@link measureParts}, in the second window
 */
export async function measureWindow(
  use: Use,
  { firstAt, requests }: { readonly firstAt: number; readonly requests: number },
  clock: Clock,
  other?: Use,
): Promise<Measured> {
  const watchedAt = clock.now();
  // If it is admitted, its first window has ended already.
  const begunAt = (await use(requests)) > 0 ? watchedAt : firstAt;
  const one = await untilReturned(use, clock);
  if (!one) return {};
  const isSingle = requests > 1 && (await use(1)) === 0;
  if (!isSingle) await use(requests);
  // As long as the first window, unless it was by the clock.
  const seconds = Math.floor((one.at - begunAt + SLACK_MS) / 1000);
  const isOther = other && !isSingle && hasParts(requests, seconds);
  const inParts = isOther ? measureParts(other, requests, seconds, clock).catch(() => undefined) : undefined;
  const returned = untilReturned(use, clock);
  // Both end before an error of one.
  await Promise.allSettled([returned, inParts]);
  const two = await returned;
  if (!two) return {};
  if (!isSingle) {
    const window = windowOf(begunAt, one, two);
    const parts = window?.seconds === seconds ? await inParts : undefined;
    return { ...(window && { window }), ...(parts && { parts }) };
  }
  const everyMs = two.at - one.at;
  // Weighted counts of two windows begin to return requests only when the first window has ended.
  return one.at - watchedAt > 1.5 * everyMs ? {} : { bucketSeconds: (everyMs * requests) / 1000 };
}

/** Undefined: not in time. */
async function untilReturned(
  use: Use,
  { now, sleep }: Clock,
  mostMs = MOST_WAIT_MS,
  part = PART,
): Promise<Return | undefined> {
  const from = now();
  let rejectedAt = from;
  while (now() - from < mostMs) {
    await sleep(Math.max(LEAST_MS, part * (now() - from)));
    const sentAt = now();
    if ((await use(1)) > 0) return { rejectedAt, at: now() };
    rejectedAt = sentAt;
  }
  return undefined;
}

/** Undefined if no window fits, or several. */
function windowOf(begunAt: number, one: Return, two: Return): Measured['window'] {
  const [from, to] = [two.rejectedAt - one.at, two.at - one.rejectedAt];
  const fitting = Array.from({ length: MOST_SECONDS }, (_, i) => i + 1).filter(
    (seconds) => seconds * 1000 >= from && seconds * 1000 <= to,
  );
  // Each of the two starts may fit with a length of its own.
  const byClock = fitting.filter((seconds) => [one, two].every((each) => endsWithin(each, 1000 * seconds)));
  const byRequest = fitting.filter(
    (seconds) =>
      seconds * 1000 >= one.rejectedAt - begunAt - SLACK_MS && seconds * 1000 <= one.at - begunAt + SLACK_MS,
  );
  const [seconds, ...others] = new Set([...byClock, ...byRequest]);
  if (seconds === undefined || others.length > 0) return undefined;
  // A caller that began with a window by the clock saw a whole one, too.
  const start = byClock.length === 0 ? 'FirstRequest' : byRequest.length === 0 ? 'Clock' : 'Unknown';
  return { seconds, start };
}

/** Whether a multiple of the window lies where the caller got its limit back. */
function endsWithin({ at, rejectedAt }: Return, windowMs: number): boolean {
  return Math.floor((at + SLACK_MS) / windowMs) > Math.floor((rejectedAt - SLACK_MS) / windowMs);
}

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

export interface Measured {
  /** `Unknown`: both starts fit. */
  readonly window?: { readonly seconds: number; readonly start: 'FirstRequest' | 'Clock' | 'Unknown' };
  /** If the limit is returned one request after the other: how long all of it takes. */
  readonly bucketSeconds?: number;
}

/** Longer windows are not measured. */
export const MOST_SECONDS = 60;
/** For the end of one window. */
export const MOST_WAIT_MS = 65_000;
/** For one request of a bucket, if the window is known. */
const MOST_BUCKET_WAIT_MS = 10_000;
/** Between two requests: this part of the time since the first, and at least so many milliseconds. */
const PART = 0.01;
const LEAST_MS = 50;
/** An answer may be on its way for so long. */
const SLACK_MS = 100;

/** The last request of a caller that was rejected was sent at `rejectedAt`; the next was answered at `at`. */
interface Return {
  readonly rejectedAt: number;
  readonly at: number;
}

/** Whether a caller that used its limit up gets one request back in its share of the window, and no more. */
export async function measureBucket(
  use: Use,
  { requests, seconds: bucketSeconds }: { readonly requests: number; readonly seconds: number },
  clock: Clock,
): Promise<Measured> {
  const waitMs = (1250 * bucketSeconds) / requests;
  if (requests === 1 || waitMs > MOST_BUCKET_WAIT_MS) return {};
  const one = await untilReturned(use, clock, waitMs, 5 * PART);
  return one && (await use(1)) === 0 ? { bucketSeconds } : {};
}

/**
 * Takes two windows of a caller that used its limit up. It gets it back at the end of its window, uses it up at once,
 * and gets it back again: the time between is a whole window, whether windows begin with a request or by the clock. The
 * first return shows which: by the clock, the caller had only the rest of a window.
 * @param firstAt when its first answer arrived
 */
export async function measureWindow(
  use: Use,
  { firstAt, requests }: { readonly firstAt: number; readonly requests: number },
  clock: Clock,
): Promise<Measured> {
  const watchedAt = clock.now();
  // If it is admitted, its first window has ended already.
  const begunAt = (await use(requests)) > 0 ? watchedAt : firstAt;
  const one = await untilReturned(use, clock);
  if (!one) return {};
  const isSingle = requests > 1 && (await use(1)) === 0;
  // A window returns the whole limit, and a bucket that is refilled in steps a part of it.
  if (!isSingle && 2 * (2 + (await use(requests))) <= requests) return {};
  const two = await untilReturned(use, clock);
  if (!two) return {};
  if (!isSingle) {
    const window = windowOf(begunAt, one, two);
    return window ? { window } : {};
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

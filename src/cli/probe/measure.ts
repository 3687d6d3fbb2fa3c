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
  /** `Unknown`: both starts fit, or none, or another caller has other windows. */
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
 * @param other as `use`, of a new caller, whose window ends with that one unless each has its own; left out: there is none
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
  await other?.(1);
  const isSingle = requests > 1 && (await use(1)) === 0;
  // A window returns the whole limit, and a bucket that is refilled in steps a part of it.
  if (!isSingle && 2 * (2 + (await use(requests))) <= requests) return {};
  await other?.(requests);
  let [isBack, isSame] = [!other, true];
  const both: Use = async (most) => {
    isBack ||= (await other?.(1)) !== 0;
    const admitted = await use(most);
    if (other && isBack && admitted === 0) isSame = false;
    return admitted;
  };
  const two = await untilReturned(both, clock);
  if (!two) return {};
  if (!isSingle) {
    if (!isBack) await clock.sleep(SLACK_MS);
    const window = windowOf(begunAt, one, two, isSame && (isBack || (await other?.(1)) !== 0));
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

/**
 * Undefined if no length fits, or several.
 * @param isShared whether another caller does not show that each has its own windows
 */
function windowOf(begunAt: number, one: Return, two: Return, isShared: boolean): Measured['window'] {
  const [from, to] = [two.rejectedAt - one.at, two.at - one.rejectedAt];
  const fitting = Array.from({ length: MOST_SECONDS }, (_, i) => 1000 * (i + 1)).filter(
    (ms) => ms >= from && ms <= to,
  );
  // Each of the two starts may fit with a length of its own.
  const byClock = fitting.filter((ms) => [one, two].every((each) => endsWithin(each, ms)));
  const byRequest = fitting.filter(
    (ms) => ms >= one.rejectedAt - begunAt - SLACK_MS && ms <= one.at - begunAt + SLACK_MS,
  );
  const either = isShared ? [...byClock, ...byRequest] : [];
  const [ms, ...others] = new Set(either.length > 0 ? either : fitting);
  if (ms === undefined || others.length > 0) return undefined;
  // A caller that began with a window by the clock saw a whole one, too.
  const start = either.length !== 1 ? 'Unknown' : byClock.length > 0 ? 'Clock' : 'FirstRequest';
  return { seconds: ms / 1000, start };
}

/** Whether a multiple of the window lies where the caller got its limit back. */
function endsWithin({ at, rejectedAt }: Return, windowMs: number): boolean {
  return Math.floor((at + SLACK_MS) / windowMs) > Math.floor((rejectedAt - SLACK_MS) / windowMs);
}

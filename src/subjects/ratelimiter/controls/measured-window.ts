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
  readonly windowSeconds?: number;
  /** If the limit is returned one request after the other: how long all of it takes. */
  readonly bucketSeconds?: number;
}

/** Longer windows are not measured. */
export const MOST_SECONDS = 60;
/** For the end of one window. */
export const MOST_WAIT_MS = 65_000;
/** Between two requests: this part of the time since the first, and at least so many milliseconds. */
const PART = 0.004;
const LEAST_MS = 50;

/**
 * Takes two windows of a caller that used its limit up. It gets it back at the end of its window, uses it up at once,
 * and gets it back again: the time between is a whole window, wherever windows begin.
 */
export async function measureWindow(use: Use, requests: number, clock: Clock): Promise<Measured> {
  const watchedAt = clock.now();
  // If it is admitted, its first window has ended already.
  await use(requests);
  const one = await untilReturned(use, clock);
  if (!one) return {};
  const isSingle = requests > 1 && (await use(1)) === 0;
  // A window returns the whole limit, and a bucket that is refilled in steps a part of it.
  if (!isSingle && 2 * (2 + (await use(requests))) <= requests) return {};
  const two = await untilReturned(use, clock);
  if (!two) return {};
  if (!isSingle) {
    const [from, to] = [two.rejectedAt - one.at, two.at - one.rejectedAt];
    const nearest = Math.round((from + to) / 2000);
    const isOne = from > 1000 * (nearest - 1) && 1000 * nearest >= from && 1000 * nearest <= to;
    return isOne && to < 1000 * (nearest + 1) ? { windowSeconds: nearest } : {};
  }
  const everyMs = two.at - one.at;
  // Weighted counts of two windows begin to return requests only when the first window has ended.
  return one.at - watchedAt > 1.5 * everyMs ? {} : { bucketSeconds: (everyMs * requests) / 1000 };
}

/** When the last request that was rejected was sent, and the next was answered; undefined: not in time. */
async function untilReturned(use: Use, { now, sleep }: Clock) {
  const from = now();
  let rejectedAt = from;
  while (now() - from < MOST_WAIT_MS) {
    await sleep(Math.max(LEAST_MS, PART * (now() - from)));
    const sentAt = now();
    if ((await use(1)) > 0) return { rejectedAt, at: now() };
    rejectedAt = sentAt;
  }
  return undefined;
}

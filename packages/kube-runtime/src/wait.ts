/** Bounded waiting: every timer here is tied to a signal and cleared by its owner. */
import { setTimeout } from 'node:timers/promises';

/** The longest delay `setTimeout` takes; anything above fires at once instead. */
const longestTimerMs = 2 ** 31 - 1;

/** Resolves after `ms` milliseconds. @throws the signal's reason, as soon as it aborts */
export async function sleep(ms: number, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  await setTimeout(Math.min(ms, longestTimerMs), undefined, { signal }).catch(() => signal.throwIfAborted());
}

/** Time for queues and workers; tests and simulations pass their own. */
export interface Timers {
  /** Milliseconds from any origin; never jumps back. */
  monotonic(): number;
  /** As {@link sleep}. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

export const systemTimers: Timers = { monotonic: () => performance.now(), sleep };

/**
 * Runs `work` with a signal that aborts after `ms` milliseconds, or when one of `others` does; settles as `work` does.
 */
export async function within<T>(
  timers: Timers,
  ms: number,
  work: (signal: AbortSignal) => Promise<T>,
  ...others: AbortSignal[]
): Promise<T> {
  const deadline = new AbortController();
  const over = new AbortController();
  const timer = timers.sleep(ms, over.signal).then(
    () => deadline.abort(new Error(`not finished within ${ms} ms`)),
    () => undefined,
  );
  try {
    return await work(AbortSignal.any([deadline.signal, ...others]));
  } finally {
    over.abort(new Error('finished'));
    await timer;
  }
}

/** Whether `work` settles within `ms` milliseconds, fulfilled or rejected. */
export async function endsWithin(timers: Timers, ms: number, work: Promise<unknown>): Promise<boolean> {
  const over = new AbortController();
  const late = timers.sleep(ms, over.signal).catch(() => undefined);
  const ended = work.catch(() => undefined).then(() => true);
  try {
    return await Promise.race([ended, late.then(() => false)]);
  } finally {
    over.abort(new Error('finished'));
    await late;
  }
}

/** Parameters of an exponential backoff. */
export interface BackoffOptions {
  /** The first delay, before jitter. */
  baseMs: number;
  /** No delay is longer. */
  maxMs: number;
  /** Returns a number in [0, 1); replaced in tests. */
  random?: () => number;
}

/** The delay after `failures` failures (0 is the first): doubling, bounded, between half and all of it. */
export function backoffDelay(failures: number, options: BackoffOptions): number {
  const full = Math.min(options.baseMs * 2 ** Math.min(failures, 30), options.maxMs);
  return full * (0.5 + 0.5 * (options.random ?? Math.random)());
}

/** Waiting that ends: by a deadline, or because the owner has stopped. */
import { setTimeout as sleep } from 'node:timers/promises';

/** What `within` resolves to when the time ran out first. */
export const TIMED_OUT = Symbol('timed out');

/**
 * The result of `work`, or TIMED_OUT after `ms`. Work that is late goes on; what
 * it throws then is dropped.
 * @throws the reason of `signal` as soon as it is aborted
 */
export async function within<T>(
  work: Promise<T>,
  ms: number,
  signal?: AbortSignal,
): Promise<T | typeof TIMED_OUT> {
  const timer = new AbortController();
  const stop = signal ? AbortSignal.any([signal, timer.signal]) : timer.signal;
  work.catch(() => undefined);
  try {
    return await Promise.race([work, sleep(Math.max(0, ms), TIMED_OUT, { signal: stop })]);
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  } finally {
    timer.abort();
  }
}

/** Waits `ms`. @throws the reason of `signal` as soon as it is aborted */
export async function pauseFor(ms: number, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  await sleep(Math.max(0, ms), undefined, { signal }).catch(() => signal.throwIfAborted());
}

/** The message of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

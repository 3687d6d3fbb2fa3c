/** Waiting no longer than it makes sense to. */

/** What `within` returns when time ran out. */
export const TIMED_OUT = Symbol('timed out');

/** The part of a timeout after which Redis must not run the write any more; the rest is for the answer. */
export const DEADLINE_SHARE = 0.8;

/**
 * The result of `promise`, or TIMED_OUT after `ms`. The promise itself goes on; a rejection that comes after
 * the time ran out is dropped.
 */
export async function within<T>(promise: Promise<T>, ms: number): Promise<T | typeof TIMED_OUT> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<typeof TIMED_OUT>((resolve) => {
    // One more turn of the event loop: on a busy machine the answer may be there and only not read yet.
    timer = setTimeout(() => setImmediate(resolve, TIMED_OUT), ms);
  });
  try {
    return await Promise.race([promise, timeout]);
  } finally {
    clearTimeout(timer);
  }
}

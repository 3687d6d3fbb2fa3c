/** Work with an end, by the clock that the shell is given. */
import type { Clock } from '../../demo/clock.ts';

/**
 * Runs `work` with a signal that aborts after `ms` milliseconds, or when one of
 * `others` does; settles as the work does.
 */
export async function within<T>(
  clock: Clock,
  ms: number,
  work: (signal: AbortSignal) => Promise<T>,
  ...others: AbortSignal[]
): Promise<T> {
  const deadline = new AbortController();
  const over = new AbortController();
  const timer = clock.sleep(ms, over.signal).then(
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

/** Whether `work` settles within `ms` milliseconds; what it settles with is left to others. */
export async function endsWithin(clock: Clock, ms: number, work: Promise<unknown>): Promise<boolean> {
  const ended = work.then(
    () => true,
    () => true,
  );
  return await within(clock, ms, async (signal) => {
    const late = new Promise<boolean>((resolve) => {
      signal.addEventListener('abort', () => resolve(false), { once: true });
    });
    return await Promise.race([ended, late]);
  });
}

/** Bounded waiting: by a deadline, or until the owner stops. */
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';

/** What `within` resolves to if the time runs out first. */
export const TIMED_OUT = Symbol('timed out');

/**
 * The result of `work`, or TIMED_OUT after `ms`. Late work continues; its error is dropped.
 * @throws the reason of `signal` as soon as it is aborted
 */
export async function within<T>(
  work: Promise<T>,
  ms: number,
  signal?: AbortSignal,
): Promise<T | typeof TIMED_OUT> {
  work.catch(() => undefined);
  const timeout = fairTimeout(Math.max(0, ms));
  const stop = signal ? AbortSignal.any([signal, timeout.signal]) : timeout.signal;
  try {
    const result = await Promise.race([work, untilAborted(stop).then((): typeof TIMED_OUT => TIMED_OUT)]);
    if (result === TIMED_OUT) signal?.throwIfAborted();
    return result;
  } finally {
    timeout.end();
  }
}

/** Whether `work` succeeds; its error is dropped. */
export async function succeeds(work: Promise<unknown>): Promise<boolean> {
  return await work.then(
    () => true,
    () => false,
  );
}

/** Work of which one is under way at a time: who asks for it in that time shares its outcome. */
export function oneAtATime<T>(work: () => Promise<T>): () => Promise<T> {
  let running: Promise<T> | undefined;
  return () => {
    running ??= work().finally(() => {
      running = undefined;
    });
    return running;
  };
}

/** Resolves once `signal` is aborted. */
export async function untilAborted(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await once(signal, 'abort');
}

/** Waits `ms`. @throws the reason of `signal` as soon as it is aborted */
export async function pauseFor(ms: number, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  await sleep(Math.max(0, ms), undefined, { signal }).catch(() => signal.throwIfAborted());
}

/**
 * A signal that is aborted after `ms`, but not before all data that had arrived by then was read: a stalled process
 * must not take its own silence for that of the other side. Call `end` when the signal is no longer needed; it aborts
 * the signal, which removes its listeners.
 */
export function fairTimeout(ms: number): { signal: AbortSignal; end: () => void } {
  const controller = new AbortController();
  let turn: NodeJS.Immediate | undefined;
  // Sockets are read between a timer and an immediate; bodies need another round.
  const timer = setTimeout(() => {
    turn = setImmediate(() => {
      turn = setImmediate(() => controller.abort(new Error(`timed out after ${ms} ms`)));
    });
  }, ms);
  return {
    signal: controller.signal,
    end: () => {
      clearTimeout(timer);
      clearImmediate(turn);
      controller.abort();
    },
  };
}

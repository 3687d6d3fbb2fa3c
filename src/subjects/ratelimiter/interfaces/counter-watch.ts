/** Samples the counters of a key again and again, at a fixed rate, one sample at a time. */

import type { CounterSample } from '../history/counter-sample.ts';
import { pauseFor } from '../waiting.ts';

export const SAMPLE_EVERY_MS = 100;

/** Two samples begin at least so far apart, however urgent they are. */
const LOOK_APART_MS = 20;

/** When the next sample is due: in its turn, or at once where somebody calls for it. */
export class Turn {
  #called = false;
  #waiting: AbortController | undefined;

  /** The next sample is taken at once, or as soon as the one that is being taken is over. */
  now(): void {
    this.#called = true;
    this.#waiting?.abort();
  }

  /** Waits `ms`, or until it is called for but `leastMs`. @throws the reason of `signal` as soon as it is aborted */
  async wait(ms: number, leastMs: number, signal: AbortSignal): Promise<void> {
    await pauseFor(leastMs, signal);
    if (!this.#called) {
      this.#waiting = new AbortController();
      const stop = AbortSignal.any([signal, this.#waiting.signal]);
      await pauseFor(ms - leastMs, stop).catch(() => signal.throwIfAborted());
      this.#waiting = undefined;
    }
    this.#called = false;
  }
}

/** Runs until `signal` is aborted; resolves then. */
export async function watchCounters(
  look: (signal: AbortSignal) => Promise<CounterSample>,
  onSample: (sample: CounterSample) => void,
  signal: AbortSignal,
  { everyMs = SAMPLE_EVERY_MS, turn = new Turn() }: { readonly everyMs?: number; readonly turn?: Turn } = {},
): Promise<void> {
  const start = performance.now();
  try {
    for (;;) {
      const begun = performance.now();
      onSample(await look(signal));
      const late = (performance.now() - start) % everyMs;
      const least = Math.max(0, LOOK_APART_MS - (performance.now() - begun));
      await turn.wait(everyMs - late, least, signal);
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

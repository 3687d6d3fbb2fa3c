/** Samples the counters of a key at a fixed rate, one sample at a time. */
import { pauseFor } from '@chaosdemo/redis-faults/waiting';
import type { CounterSample } from '../../history/counter-sample.ts';

export const SAMPLE_EVERY_MS = 100;

/** Two samples begin at least this far apart, however urgent they are. */
const LOOK_APART_MS = 20;

/** When the next sample is due: at the interval, or at once on request. */
export class Turn {
  #called = false;
  #waiting: AbortController | undefined;

  /** The next sample is taken at once, or as soon as the current one has ended. */
  now(): void {
    this.#called = true;
    this.#waiting?.abort();
  }

  /**
   * Waits `ms`, or less if a sample is requested, but at least `leastMs`.
   * @throws the reason of `signal` as soon as it is aborted
   */
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

/** Runs until `signal` is aborted, then resolves. */
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

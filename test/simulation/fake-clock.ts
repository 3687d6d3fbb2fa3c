/** Time that passes only when a test advances it, and wakes sleepers in their order. */
import type { Clock } from '../../src/engine/clock.ts';

/** When simulated time begins. */
export const START = Date.parse('2026-01-01T00:00:00Z');

/** More wake-ups than this at one moment are a loop that never lets time pass. */
const MOST_AT_ONE_MOMENT = 10_000;

interface Sleeper {
  readonly dueAt: number;
  readonly wake: () => void;
}

export class FakeClock implements Clock {
  #elapsed = 0;
  #stepped = 0;
  /** In the order in which they are due. */
  readonly #sleepers: Sleeper[] = [];

  now(): number {
    return START + this.#elapsed + this.#stepped;
  }

  monotonic(): number {
    return this.#elapsed;
  }

  sleep(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) {
        reject(signal.reason as Error);
        return;
      }
      const sleeper: Sleeper = {
        dueAt: this.#elapsed + Math.max(0, ms),
        wake: () => {
          signal.removeEventListener('abort', onAbort);
          resolve();
        },
      };
      const onAbort = (): void => {
        this.#remove(sleeper);
        reject(signal.reason as Error);
      };
      signal.addEventListener('abort', onAbort, { once: true });
      this.#add(sleeper);
    });
  }

  /** Sets the wall clock forward by `ms`; no time passes. */
  step(ms: number): void {
    this.#stepped += ms;
  }

  /** When the next sleeper is due on the monotonic clock; undefined if there is none. */
  get nextAt(): number | undefined {
    return this.#sleepers[0]?.dueAt;
  }

  /** Lets `ms` milliseconds pass, with all work that is due in them. */
  async advance(ms: number): Promise<void> {
    const end = this.#elapsed + ms;
    await settled();
    for (let wakes = 0; (this.nextAt ?? Infinity) <= end; wakes += 1) {
      if (await this.advanceToNext()) wakes = 0;
      if (wakes > MOST_AT_ONE_MOMENT) throw new Error('time does not pass: a sleeper wakes in a loop');
    }
    this.#elapsed = end;
  }

  /** Wakes the next sleeper, and lets everything happen that follows. Returns whether time has passed for it. */
  async advanceToNext(): Promise<boolean> {
    const next = this.#sleepers.shift();
    if (!next) return false;
    const passed = next.dueAt > this.#elapsed;
    this.#elapsed = Math.max(this.#elapsed, next.dueAt);
    next.wake();
    await settled();
    return passed;
  }

  #add(sleeper: Sleeper): void {
    let index = this.#sleepers.length;
    while (index > 0 && (this.#sleepers[index - 1]?.dueAt ?? 0) > sleeper.dueAt) index -= 1;
    this.#sleepers.splice(index, 0, sleeper);
  }

  #remove(sleeper: Sleeper): void {
    const index = this.#sleepers.indexOf(sleeper);
    if (index >= 0) this.#sleepers.splice(index, 1);
  }
}

/** Resolves when every promise that can settle without time passing has. */
export function settled(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

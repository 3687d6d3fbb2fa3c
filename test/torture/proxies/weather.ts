/** What a proxy does to all that comes through it, for a while. */
import { setTimeout as sleep } from 'node:timers/promises';
import { now } from '../record.ts';
import type { Boundary } from '../step.ts';

/** Faults that are on, each until a moment. Several may be on at once. */
export class Weather<Fault extends string> {
  readonly #until = new Map<Fault, number>();
  readonly #length = new Map<Fault, number>();

  /** Has `fault` on for `ms` from now, or as long as it is on already. */
  begin(fault: Fault, ms: number): void {
    this.#until.set(fault, Math.max(this.#until.get(fault) ?? 0, now() + ms));
    this.#length.set(fault, ms);
  }

  has(fault: Fault): boolean {
    return now() < (this.#until.get(fault) ?? 0);
  }

  /** Resolves when it is on no more. */
  async over(fault: Fault): Promise<void> {
    for (;;) {
      const left = (this.#until.get(fault) ?? 0) - now();
      if (left <= 0) return;
      await sleep(Math.ceil(left));
    }
  }

  /**
   * Resolves when this fault is on no more and a message, while messages are delayed, is as late as they are: by a
   * part of the time that this lasts, 300 ms at most.
   */
  async late(over: Fault, delay: Fault): Promise<number> {
    await this.over(over);
    const ms = this.has(delay) ? Math.min(300, (this.#length.get(delay) ?? 0) / 4) : 0;
    if (ms > 0) await sleep(ms);
    return ms;
  }

  /** All is well from now on. */
  clear(): void {
    this.#until.clear();
  }
}

/** What passes a proxy and a plan may wait for. Resolves to what becomes of it. */
export type Passing = (lane: number, what: Passed) => Promise<'pass' | 'drop'>;

export interface Passed {
  readonly boundary: Boundary;
  /** It has gone on, and what comes back is held. */
  readonly passed: boolean;
}

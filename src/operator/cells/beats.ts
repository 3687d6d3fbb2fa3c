/** Whether a cell still handles its events, told by beats in shared memory. Pure. */

/** Between two beats of a cell, in milliseconds. */
export const BEAT_MS = 200;
/** Between two looks at them, in milliseconds. */
export const LOOK_MS = 250;

/** A cell without a beat has no permits after this many looks (1 s), and is ended after the second number (3 s). */
const [NO_PERMITS, ENDED] = [4, 12];
/** A cell that is still loading its code, by looks: 20 s. */
const LOADING = 80;
/** A look that comes later than this says nothing: this thread stood still itself. Milliseconds. */
const LATE_MS = 3 * LOOK_MS;

export class Beats {
  #beats = 0;
  #silentLooks = 0;
  #lookedAt: number;

  /** @param now by the monotonic clock, in milliseconds */
  constructor(now: number) {
    this.#lookedAt = now;
  }

  /** Whether it may have permits. */
  get responds(): boolean {
    return this.#silentLooks < NO_PERMITS;
  }

  /** Whether it is to be ended. */
  get isLost(): boolean {
    return this.#silentLooks >= (this.#beats === 0 ? LOADING : ENDED);
  }

  look(beats: number, now: number): void {
    const isLate = now - this.#lookedAt > LATE_MS;
    this.#lookedAt = now;
    this.#silentLooks = beats !== this.#beats || isLate ? 0 : this.#silentLooks + 1;
    this.#beats = beats;
  }
}

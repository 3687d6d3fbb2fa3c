/** Redis's clock, as estimated by a node: one clock for all nodes, independent of their own clocks. */

/** A better sample is preferred this long; after that a worse one is taken, to keep the estimate recent. */
const SAMPLE_LIFE_MS = 10_000;

export class RedisClock {
  #sample: { readonly offset: number; readonly roundTrip: number; readonly at: number } | undefined;
  readonly #monotonic: () => number;

  /** @param monotonic milliseconds of a clock that never jumps; only differences are used */
  constructor(monotonic: () => number = () => performance.now()) {
    this.#monotonic = monotonic;
  }

  /** A timestamp to pass to `observe` with the reply to a TIME sent then. */
  mark(): number {
    return this.#monotonic();
  }

  /**
   * Adds a reply to TIME, given as seconds and microseconds. Redis read its clock between sending and receiving: the
   * middle is assumed, so the error is at most half the round trip.
   */
  observe(sentAt: number, [seconds, microseconds]: readonly [number, number]): void {
    const receivedAt = this.#monotonic();
    const roundTrip = receivedAt - sentAt;
    const known = this.#sample;
    if (known !== undefined && roundTrip > known.roundTrip && receivedAt - known.at < SAMPLE_LIFE_MS) return;
    const redisMs = seconds * 1000 + microseconds / 1000;
    this.#sample = { offset: redisMs - (sentAt + receivedAt) / 2, roundTrip, at: receivedAt };
  }

  /** Milliseconds since the epoch by Redis, as an integer; undefined until the first response of Redis. */
  now(): number | undefined {
    return this.#sample === undefined ? undefined : Math.floor(this.#monotonic() + this.#sample.offset);
  }
}

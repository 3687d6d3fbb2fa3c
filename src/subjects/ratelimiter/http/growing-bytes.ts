/** Bytes that come in pieces, kept in one piece of memory: many small ones must not cost more than they hold. */
const FIRST_BYTES = 256;
const NOTHING = Buffer.alloc(0);

export class GrowingBytes {
  #memory = NOTHING;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** Copies `part` behind what is there. */
  append(part: Uint8Array): void {
    const needed = this.#length + part.length;
    if (needed > this.#memory.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(FIRST_BYTES, needed, this.#memory.length * 2));
      this.#memory.copy(larger, 0, 0, this.#length);
      this.#memory = larger;
    }
    this.#memory.set(part, this.#length);
    this.#length = needed;
  }

  /** All bytes so far, which are given away: it is empty afterwards. */
  take(): Buffer {
    const bytes = this.#memory.subarray(0, this.#length);
    this.#memory = NOTHING;
    this.#length = 0;
    return bytes;
  }
}

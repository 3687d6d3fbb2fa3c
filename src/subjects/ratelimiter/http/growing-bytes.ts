/** Bytes that come in pieces, kept in one piece of memory: many small ones must not cost more than they hold. */
const FIRST_BYTES = 256;
const NOTHING = Buffer.alloc(0);

export class GrowingBytes {
  #memory = NOTHING;
  #length = 0;
  #expected = 0;

  get length(): number {
    return this.#length;
  }

  /** Bytes of memory that it holds once so many bytes more are in it. */
  capacityWith(more: number): number {
    const needed = this.#length + more;
    return needed <= this.#memory.length
      ? this.#memory.length
      : Math.max(needed, this.#expected || Math.max(FIRST_BYTES, this.#memory.length * 2));
  }

  /** So many bytes will come in all, so that memory is made once. */
  expect(bytes: number): void {
    this.#expected = bytes;
  }

  /** Copies `part` behind what is there. */
  append(part: Uint8Array): void {
    const needed = this.#length + part.length;
    const capacity = this.capacityWith(part.length);
    if (capacity > this.#memory.length) {
      const larger = Buffer.allocUnsafeSlow(capacity);
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

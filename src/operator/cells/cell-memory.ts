/** Numbers that a cell and the thread that leads share. */
export class CellMemory {
  static readonly BYTES = 24;
  readonly #numbers: Float64Array;

  constructor(memory: SharedArrayBuffer) {
    this.#numbers = new Float64Array(memory);
  }

  /** Added to the monotonic clock of the process: milliseconds since the epoch. */
  get clockOffset(): number {
    return this.#numbers[0] ?? 0;
  }

  set clockOffset(ms: number) {
    this.#numbers[0] = ms;
  }

  /** Counts up as long as the cell handles events. */
  get beats(): number {
    return this.#numbers[1] ?? 0;
  }

  /** Bytes that the cell takes, as of its last beat. */
  get bytes(): number {
    return this.#numbers[2] ?? 0;
  }

  beat(bytes: number): void {
    this.#numbers[1] = this.beats + 1;
    this.#numbers[2] = bytes;
  }
}

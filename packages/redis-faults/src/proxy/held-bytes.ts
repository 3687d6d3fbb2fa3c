/**
 * Bytes of one direction of a connection that wait: each chunk for the same time, or all until a release. They leave in
 * the order in which they came, by one queue: with a timer for each chunk, two could swap, and with them the replies.
 */

/** Bytes that wait before the sender has to; the last chunk may exceed it. */
const MOST_BYTES = 64 * 1024;
/** What an entry of the queue takes at least, so that many small chunks are bounded as well; bytes. */
const LEAST_ENTRY = 128;

interface Entry {
  /** Undefined: the sender has ended. */
  readonly chunk: Buffer | undefined;
  /** By the monotonic clock, in milliseconds; infinite: only a release passes it on. */
  readonly dueAt: number;
}

interface Ends {
  /** Passes a chunk on. */
  readonly pass: (chunk: Buffer) => void;
  /** Passes on that the sender has ended. */
  readonly end: () => void;
  /** Stops reading from the sender. */
  readonly pause: () => void;
  /** There may be room again. */
  readonly resume: () => void;
}

export class HeldBytes {
  readonly #ends: Ends;
  #queue: Entry[] = [];
  #bytes = 0;
  /** Undefined: nothing waits. */
  #delayMs: number | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(ends: Ends) {
    this.#ends = ends;
  }

  get isFull(): boolean {
    return this.#bytes >= MOST_BYTES;
  }

  /** From now on each chunk waits. @param ms infinite: until the release */
  delay(ms: number): void {
    this.#delayMs = ms;
  }

  /** Passes on all that waits; from now on nothing does. */
  release(): void {
    this.#delayMs = undefined;
    this.#pass(Number.POSITIVE_INFINITY);
  }

  /** Forgets all that waits: the connection has ended. */
  clear(): void {
    this.#queue = [];
    clearTimeout(this.#timer);
  }

  take(chunk: Buffer): void {
    if (this.#delayMs === undefined) this.#ends.pass(chunk);
    else this.#hold(chunk, this.#delayMs);
  }

  end(): void {
    if (this.#delayMs === undefined) this.#ends.end();
    else this.#hold(undefined, this.#delayMs);
  }

  #hold(chunk: Buffer | undefined, delayMs: number): void {
    this.#queue.push({ chunk, dueAt: performance.now() + delayMs });
    this.#bytes += sizeOf(chunk);
    if (this.isFull) this.#ends.pause();
    if (this.#queue.length === 1) this.#wait();
  }

  /** Until the first entry is due. */
  #wait(): void {
    clearTimeout(this.#timer);
    const [first] = this.#queue;
    if (first === undefined || first.dueAt === Number.POSITIVE_INFINITY) return;
    // A timer may be early by the fraction of a millisecond.
    const ms = Math.max(1, Math.ceil(first.dueAt - performance.now()));
    this.#timer = setTimeout(() => this.#pass(performance.now()), ms);
  }

  /** Passes on what is due by then. */
  #pass(by: number): void {
    const left = this.#queue.findIndex(({ dueAt }) => dueAt > by);
    const due = this.#queue.splice(0, left === -1 ? this.#queue.length : left);
    for (const { chunk } of due) {
      this.#bytes -= sizeOf(chunk);
      if (chunk === undefined) this.#ends.end();
      else this.#ends.pass(chunk);
    }
    this.#wait();
    if (due.length > 0) this.#ends.resume();
  }
}

function sizeOf(chunk: Buffer | undefined): number {
  return Math.max(LEAST_ENTRY, chunk?.length ?? 0);
}

/** One answer of a pod, and the memory that it may take. */
import type { IncomingHttpHeaders } from 'node:http';
import type { Memory } from '../memory.ts';
import { noRoom } from './failure.ts';

/** One complete answer. */
export interface HttpAnswer {
  /** 200 to 599. */
  readonly status: number;
  readonly body: Buffer;
  readonly headers?: IncomingHttpHeaders;
  /** Whether the connection carries no further request. */
  readonly closes?: boolean;
}

// More than any limiter needs.
/** The status line with all headers. */
export const HEAD_BYTES = 8 * 1024;
export const BODY_BYTES = 16 * 1024;

/** This much of an answer is included in the cost of its connection. */
const INCLUDED_BYTES = 1024;
/** Replaced or released memory stays until it is garbage collected: each byte counts this many times. */
const WITH_GARBAGE = 6;

/** The memory that one answer takes beyond {@link INCLUDED_BYTES}. */
export class AnswerHold {
  readonly #memory: Memory | undefined;
  #taken = 0;

  /** @param memory left out: no bound */
  constructor(memory: Memory | undefined) {
    this.#memory = memory;
  }

  /** The answer is about to hold this many bytes in total. @throws RequestError NO_ROOM */
  grow(bytes: number): void {
    const more = WITH_GARBAGE * Math.max(0, bytes - INCLUDED_BYTES) - this.#taken;
    if (!this.#memory || more <= 0) return;
    if (!this.#memory.take(more)) throw noRoom();
    this.#taken += more;
  }

  release(): void {
    this.#memory?.give(this.#taken);
    this.#taken = 0;
  }
}

/** One answer of a pod, and the memory that it may take. */
import type { IncomingHttpHeaders } from 'node:http';
import { noRoom } from './failure.ts';

/** One complete answer. */
export interface HttpAnswer {
  /** 200 to 599. */
  readonly status: number;
  readonly body: Buffer;
  /** Left out in a burst. */
  readonly headers?: IncomingHttpHeaders;
}

// More than any limiter needs.
/** The status line with all headers. */
export const HEAD_BYTES = 8 * 1024;
export const MOST_HEADERS = 64;
export const BODY_BYTES = 16 * 1024;
/** 1xx answers before the final one. */
export const MOST_INFORMATIONAL = 4;

/** Memory of partly received answers, beyond {@link INCLUDED_BYTES} each. */
export interface AnswerMemory {
  /** Takes this many more bytes; false: not available, and nothing was taken. */
  readonly take: (bytes: number) => boolean;
  readonly give: (bytes: number) => void;
}

/** This much of an answer is included in the cost of its connection. */
const INCLUDED_BYTES = 1024;
/** Replaced or released memory stays until it is garbage collected: each byte counts this many times. */
const WITH_GARBAGE = 6;

/**
 * What a request by undici takes beyond its connection, with a partly received head. Measured with 1,000 of them: 30
 * KiB in total.
 */
const REQUEST_BYTES = 20 * 1024;

/** The memory that one answer takes. */
export class AnswerHold {
  readonly #memory: AnswerMemory | undefined;
  #taken = 0;
  #held = 0;

  /** @param memory left out: no bound */
  constructor(memory: AnswerMemory | undefined) {
    this.#memory = memory;
  }

  /** The answer is about to hold this many bytes in total. @throws RequestError NO_ROOM */
  grow(bytes: number): void {
    const held = WITH_GARBAGE * Math.max(0, bytes - INCLUDED_BYTES);
    this.#take(held - this.#held);
    this.#held = Math.max(held, this.#held);
  }

  /** Before undici sends the request. @throws RequestError NO_ROOM */
  begin(): void {
    this.#take(REQUEST_BYTES);
  }

  #take(bytes: number): void {
    if (!this.#memory || bytes <= 0) return;
    if (!this.#memory.take(bytes)) throw noRoom();
    this.#taken += bytes;
  }

  release(): void {
    this.#memory?.give(this.#taken);
    this.#taken = 0;
  }
}

export const TOO_MANY_INFORMATIONAL = `more than ${MOST_INFORMATIONAL} informational answers came before the one that counts`;
export const TOO_MANY_HEADERS = `the answer has more than ${MOST_HEADERS} headers`;
export const HEAD_TOO_LARGE = `the head is longer than ${HEAD_BYTES} bytes`;
export const BODY_TOO_LARGE = `the body is longer than ${BODY_BYTES} bytes`;

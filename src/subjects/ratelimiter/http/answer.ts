/** One answer of a pod, and what it may take. */
import { badAnswer, noRoom, type RequestError } from './failure.ts';

/** One complete answer. */
export interface HttpAnswer {
  /** 200 to 599. */
  readonly status: number;
  /** Names in lower case; the values of a repeated one are joined by `, `. Trailers are not among them. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Buffer;
}

// More than any limiter needs.
/** Of the status line with all headers. */
export const HEAD_BYTES = 8 * 1024;
export const MOST_HEADERS = 64;
export const BODY_BYTES = 16 * 1024;
/** Answers 1xx before the one that counts. */
export const MOST_INFORMATIONAL = 4;

/** What answers of which a part has come may hold, beyond {@link INCLUDED_BYTES} each. */
export interface AnswerMemory {
  /** Takes so many bytes more; false: there are not so many, and nothing was taken. */
  readonly take: (bytes: number) => boolean;
  readonly give: (bytes: number) => void;
}

/** So much of an answer is part of what its connection costs. */
const INCLUDED_BYTES = 1024;
/** Memory that was replaced or given up is there until the garbage is collected: each byte counts as so many. */
const WITH_GARBAGE = 6;

/**
 * What a request by undici takes beyond its connection, with a head of which a part has come. Measured with 1,000 of them:
 * 30 KiB in all.
 */
const REQUEST_BYTES = 20 * 1024;

/** What one answer takes of the memory. */
export class AnswerHold {
  readonly #memory: AnswerMemory | undefined;
  #taken = 0;
  #held = 0;

  /** @param memory left out: no bound */
  constructor(memory: AnswerMemory | undefined) {
    this.#memory = memory;
  }

  /** The answer is about to hold so many bytes in all. @throws RequestError NO_ROOM */
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

  /** Gives back all. */
  release(): void {
    this.#memory?.give(this.#taken);
    this.#taken = 0;
  }
}

export function tooManyInformational(): RequestError {
  return badAnswer(`more than ${MOST_INFORMATIONAL} informational answers came before the one that counts`);
}

export function tooManyHeaders(): RequestError {
  return badAnswer(`the answer has more than ${MOST_HEADERS} headers`);
}

export function headTooLarge(): RequestError {
  return badAnswer(`the head is longer than ${HEAD_BYTES} bytes`);
}

export function bodyTooLarge(): RequestError {
  return badAnswer(`the body is longer than ${BODY_BYTES} bytes`);
}

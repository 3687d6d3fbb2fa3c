/**
 * Reads the answer to one request. With undici, a burst on 10,000 connections would take three times the memory, and an
 * object for each request would spread a burst of 20 over four times as long. Strict and bounded, because the server is
 * not trusted. Pure.
 */
import type { Memory } from '../memory.ts';
import type { HttpAnswer } from './answer.ts';
import { badAnswer, noRoom, RequestError } from './failure.ts';

// More than any limiter needs.
/** The status line with all headers. */
export const HEAD_BYTES = 8 * 1024;
export const BODY_BYTES = 16 * 1024;

const NOTHING = Buffer.alloc(0);
const FIRST_BYTES = 256;
/** This much of an answer is included in the cost of its connection. */
const INCLUDED_BYTES = 1024;
/** Replaced or released memory stays until it is garbage collected: each byte counts this many times. */
const WITH_GARBAGE = 6;
/** Heads of informational answers and the framing of chunks may take at most as much again as the answer itself. */
const MOST_BYTES = 2 * (HEAD_BYTES + BODY_BYTES);

const MOST_HEADERS = 64;
/** 1xx answers before the final one. */
const MOST_INFORMATIONAL = 4;
const BODY_TOO_LARGE = `the body is longer than ${BODY_BYTES} bytes`;
const BEGINNING = 'HTTP/1.';
/** The space before an empty reason may be missing. */
const STATUS_LINE = /^HTTP\/1\.([01]) ([1-5][0-9]{2})(?: [\t\x20-\x7e\x80-\xff]*)?$/;
/** Adjacent parts match disjoint characters; otherwise backtracking over 8,000 spaces takes 16 ms. */
const FIELD = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+):([\t\x20-\x7e\x80-\xff]*)$/;
const LENGTH = /^[0-9]{1,15}$/;
/** In hexadecimal, with extensions. */
const CHUNK_SIZE = /^([0-9A-Fa-f]{1,8})(?:[\t ]*;[\t\x20-\x7e\x80-\xff]*)?$/;
const CHUNK_LINE_BYTES = 128;

interface Head extends Omit<HttpAnswer, 'body'> {
  /** Bytes of the body, or how its end is found. */
  readonly body: number | 'chunked' | 'close';
}

/** Reads one answer; after it has thrown, or returned an answer, only `close` may be called. */
export class ResponseReader {
  readonly #method: string;
  readonly #memory: Memory | undefined;
  /** Bytes of it. */
  #taken = 0;
  /** The first `#length` bytes belong to a partly received answer. */
  #held = NOTHING;
  #length = 0;
  #informational = 0;
  #head: Head | undefined;
  /** Start of the head or the body. */
  #from = 0;
  /** Start of the next chunk, and end of the chunk data before it, which is compacted in place. */
  #chunkAt = 0;
  #bodyEnd = 0;

  /**
   * @param method of the request: an answer to HEAD has no body
   * @param memory for an answer that arrives in parts; `close` gives it back. Default: no bound
   */
  constructor(method: string, memory?: Memory) {
    this.#method = method;
    this.#memory = memory;
  }

  /**
   * Takes the next bytes, and may change them.
   * @returns the answer once it is complete; undefined until then
   * @throws RequestError BAD_ANSWER, also if bytes follow the answer; NO_ROOM if there is no memory for it
   */
  push(bytes: Uint8Array): HttpAnswer | undefined {
    const part = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    const searched = this.#length;
    const all = searched === 0 ? part : this.#keep(part);
    this.#head ??= this.#readHead(all, searched);
    const answer = this.#head && this.#readBody(this.#head, all);
    if (!answer && searched === 0) this.#keep(part);
    return answer;
  }

  /**
   * The connection has ended.
   * @returns the answer, if its body ends with the connection
   * @throws RequestError RESET otherwise
   */
  end(): HttpAnswer {
    if (this.#head?.body === 'close') return this.#answer(this.#head, this.#held, this.#length);
    const message = 'the connection was closed before the response was complete';
    throw new RequestError({ code: 'RESET', message });
  }

  /** Gives back its memory. */
  close(): void {
    this.#memory?.give(this.#taken);
    this.#taken = 0;
  }

  /** Appends a copy to the bytes that are held. @returns all bytes so far */
  #keep(part: Buffer): Buffer {
    const length = this.#length + part.length;
    if (length > MOST_BYTES) throw badAnswer(`the response is longer than ${MOST_BYTES} bytes`);
    if (length > this.#held.length) {
      const size = Math.max(length, 2 * this.#held.length, FIRST_BYTES);
      const more = WITH_GARBAGE * Math.max(0, size - INCLUDED_BYTES) - this.#taken;
      if (this.#memory && more > 0) {
        if (!this.#memory.take(more)) throw noRoom();
        this.#taken += more;
      }
      const larger = Buffer.allocUnsafeSlow(size);
      this.#held.copy(larger, 0, 0, this.#length);
      this.#held = larger;
    }
    part.copy(this.#held, this.#length);
    this.#length = length;
    return this.#held.subarray(0, length);
  }

  #readHead(all: Buffer, searched: number): Head | undefined {
    for (;;) {
      const begun = all.toString('latin1', this.#from, this.#from + BEGINNING.length);
      if (!BEGINNING.startsWith(begun))
        throw badAnswer('the response does not begin with a status line of HTTP/1');
      const end = all.indexOf('\r\n\r\n', Math.max(this.#from, searched - 3), 'latin1');
      if ((end === -1 ? all.length : end) - this.#from > HEAD_BYTES)
        throw badAnswer(`the head is longer than ${HEAD_BYTES} bytes`);
      if (end === -1) return undefined;
      const head = parseHead(all.toString('latin1', this.#from, end), this.#method);
      this.#from = end + 4;
      this.#chunkAt = this.#from;
      this.#bodyEnd = this.#from;
      if (head.status >= 200) return head;
      if (head.status === 101) throw badAnswer('the server switches to another protocol');
      this.#informational += 1;
      if (this.#informational > MOST_INFORMATIONAL) {
        throw badAnswer(
          `more than ${MOST_INFORMATIONAL} informational responses came before the one that counts`,
        );
      }
    }
  }

  #readBody(head: Head, all: Buffer): HttpAnswer | undefined {
    if (head.body === 'chunked') return this.#readChunks(head, all);
    const end = head.body === 'close' ? all.length : this.#from + head.body;
    if (end - this.#from > BODY_BYTES) throw badAnswer(BODY_TOO_LARGE);
    if (head.body === 'close' || all.length < end) return undefined;
    checkEnd(all, end);
    return this.#answer(head, all, end);
  }

  #readChunks(head: Head, all: Buffer): HttpAnswer | undefined {
    for (;;) {
      const lineEnd = all.indexOf('\r\n', this.#chunkAt, 'latin1');
      if ((lineEnd === -1 ? all.length : lineEnd) - this.#chunkAt > CHUNK_LINE_BYTES) throw badChunk();
      if (lineEnd === -1) return undefined;
      const match = CHUNK_SIZE.exec(all.toString('latin1', this.#chunkAt, lineEnd));
      if (!match) throw badChunk();
      const size = Number.parseInt(match[1] as string, 16);
      if (size === 0) {
        const end = all.indexOf('\r\n\r\n', lineEnd, 'latin1');
        if (end === -1) return undefined;
        checkEnd(all, end + 4);
        return this.#answer(head, all, this.#bodyEnd);
      }
      if (this.#bodyEnd - this.#from + size > BODY_BYTES) throw badAnswer(BODY_TOO_LARGE);
      const [start, end] = [lineEnd + 2, lineEnd + 2 + size];
      if (all.length < end + 2) return undefined;
      if (all.toString('latin1', end, end + 2) !== '\r\n') throw badChunk();
      all.copyWithin(this.#bodyEnd, start, end);
      this.#bodyEnd += size;
      this.#chunkAt = end + 2;
    }
  }

  /** With a copy of the body. */
  #answer(head: Head, all: Buffer, bodyEnd: number): HttpAnswer {
    return { ...head, body: Buffer.from(all.subarray(this.#from, bodyEnd)) };
  }
}

function parseHead(text: string, method: string): Head {
  const [statusLine = '', ...lines] = text.split('\r\n');
  const match = STATUS_LINE.exec(statusLine);
  if (!match) throw badAnswer('the response does not begin with a status line of HTTP/1');
  const [isOld, status] = [match[1] === '0', Number(match[2])];
  if (lines.length > MOST_HEADERS) throw badAnswer(`the response has more than ${MOST_HEADERS} headers`);
  const fields = new Map<string, string[]>();
  for (const line of lines) {
    const field = FIELD.exec(line);
    if (!field) throw badAnswer('a header line is malformed');
    const [name, value] = [(field[1] as string).toLowerCase(), (field[2] as string).trim()];
    fields.set(name, [...(fields.get(name) ?? []), value]);
  }
  const of = (name: string): string | undefined => fields.get(name)?.join(', ');
  const stated = bodyOf(of('content-length'), of('transfer-encoding'), isOld);
  return {
    status,
    headers: Object.fromEntries([...fields].map(([name, all]) => [name, all.length > 1 ? all : all[0]])),
    closes: isOld || /\bclose\b/i.test(of('connection') ?? ''),
    body: method === 'HEAD' || status === 204 || status === 304 ? 0 : stated,
  };
}

/** Headers are validated even if no body follows: an invalid one shows that the rest cannot be trusted. */
function bodyOf(length: string | undefined, coding: string | undefined, isOld: boolean): Head['body'] {
  if (length !== undefined && (coding !== undefined || !LENGTH.test(length))) {
    throw badAnswer('the content-length is not one number, or has a transfer-encoding with it');
  }
  if (coding === undefined) return length === undefined ? 'close' : Number(length);
  if (coding.toLowerCase() !== 'chunked' || isOld) {
    throw badAnswer('the transfer-encoding is not the one of HTTP/1.1, chunked');
  }
  return 'chunked';
}

function checkEnd(all: Buffer, end: number): void {
  if (all.length > end) throw badAnswer('bytes follow the response');
}

function badChunk(): RequestError {
  return badAnswer('a chunk of the body is malformed');
}

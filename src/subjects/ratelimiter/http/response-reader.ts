/**
 * Reads one HTTP/1 answer from the bytes of a connection, as they come. Strict and
 * bounded, since the other side is somebody else's program: what is not as RFC 9112
 * has it is an error, and so is what exceeds a bound. It keeps no time; whoever
 * reads ends an answer that takes too long. Pure.
 */
import { AnswerError } from './answer-error.ts';
import { framingOf, keepsAlive, parseField, parseStatusLine, type StatusLine } from './answer-head.ts';
import { GrowingBytes } from './growing-bytes.ts';

const LF = 0x0a;
/** A chunk's size in hexadecimal, with whatever extension it carries. */
const CHUNK_SIZE = /^([0-9A-Fa-f]{1,8})(?:[\t ]*;[\t\x20-\x7e\x80-\xff]*)?$/;
const CHUNK_LINE_BYTES = 128;
/** A server sends a chunk for each time that its program writes. To read one takes longer than its bytes do. */
const MOST_CHUNKS = 256;
/** What a field takes beyond its characters: two strings and a place in a map. */
const FIELD_BYTES = 128;
/** So much of an answer is part of what its connection costs. */
const INCLUDED_BYTES = 1024;
/** A line, or fields, of more than this take memory at once, also where the answer comes in one piece. */
const WHOLE_HEAD_BYTES = 1024;
/** What is replaced by larger memory, or given up, is there until the garbage is collected: each byte counts as so many. */
const WITH_GARBAGE = 6;

/** What one answer may take, at most. */
export interface AnswerBounds {
  /** All lines before the body and behind a chunked one, those of informational answers included. */
  readonly headBytes: number;
  /** Header fields, trailers and those of informational answers included. */
  readonly headers: number;
  readonly bodyBytes: number;
  /** Answers 1xx before the one that counts. */
  readonly informational: number;
}

/** What answers of which a part has come may hold, beyond 1,024 bytes each. */
export interface AnswerMemory {
  /** Has so many bytes more; false: there are not so many, and nothing was taken. */
  readonly take: (bytes: number) => boolean;
  readonly give: (bytes: number) => void;
}

/** More than any limiter needs. */
export const DEFAULT_BOUNDS: AnswerBounds = {
  headBytes: 8 * 1024,
  headers: 64,
  bodyBytes: 16 * 1024,
  informational: 4,
};

/** One complete answer. */
export interface HttpAnswer {
  /** 200 to 599. */
  readonly status: number;
  /** Names in lower case; the values of a repeated one are joined by `, `. Trailers are not among them. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Buffer;
  /** Whether the connection may be used again. */
  readonly keepAlive: boolean;
}

/** What is read by lines, and what is not. */
type LineState = 'status' | 'headers' | 'size' | 'chunkEnd' | 'trailers';
type State = LineState | 'sized' | 'chunk' | 'close' | 'over';

/**
 * @example
 * const reader = new ResponseReader(DEFAULT_BOUNDS);
 * socket.on('data', (bytes) => { const answer = reader.push(bytes); if (answer) ... });
 * socket.on('end', () => { const answer = reader.end(); ... });
 */
export class ResponseReader {
  readonly #bounds: AnswerBounds;
  readonly #method: string;
  readonly #memory: AnswerMemory | undefined;
  /** Of that memory. */
  #taken = 0;
  #fieldBytes = 0;
  #state: State = 'status';
  /** Of a line whose end has not come yet. */
  readonly #line = new GrowingBytes();
  #headLeft: number;
  #headersLeft: number;
  #informationalLeft: number;
  #bodyLeft: number;
  #chunksLeft = MOST_CHUNKS;
  #head: StatusLine | undefined;
  #fields = new Map<string, string>();
  /** Of the body or the chunk that is being read. */
  #missing = 0;
  readonly #body = new GrowingBytes();

  /**
   * @param method of the request that is answered: an answer to HEAD has no body
   * @param memory of which an answer that comes in parts takes what it holds; `close` gives it back. Left out: as the bounds allow
   */
  constructor(bounds: AnswerBounds, method = 'GET', memory?: AnswerMemory) {
    this.#bounds = bounds;
    this.#method = method;
    this.#memory = memory;
    this.#headLeft = bounds.headBytes;
    this.#headersLeft = bounds.headers;
    this.#informationalLeft = bounds.informational;
    this.#bodyLeft = bounds.bodyBytes;
  }

  /**
   * Takes the next bytes, which may be used again by the caller afterwards.
   * @returns the answer once it is complete; undefined while more is to come
   * @throws AnswerError; SURPLUS when bytes follow the answer, NO_ROOM when there is no memory for it. Nothing can be
   *   read after that
   */
  push(bytes: Uint8Array): HttpAnswer | undefined {
    if (bytes.length === 0) return undefined;
    const chunk = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    try {
      return this.#read(chunk);
    } catch (error) {
      this.#state = 'over';
      throw error;
    }
  }

  /**
   * The connection has ended.
   * @returns the answer when it is one that lasts until then
   * @throws AnswerError CLOSED_EARLY when it is not
   */
  end(): HttpAnswer {
    const complete = this.#state === 'close';
    this.#state = 'over';
    if (complete) return this.#answer(false);
    throw new AnswerError('CLOSED_EARLY', 'the connection was closed before the answer was complete');
  }

  #read(chunk: Buffer): HttpAnswer | undefined {
    if (this.#state === 'over') throw new AnswerError('SURPLUS', 'bytes follow the answer');
    let at = 0;
    let complete = false;
    while (at < chunk.length && !complete) {
      if (this.#state === 'sized' || this.#state === 'chunk' || this.#state === 'close') {
        const end = this.#state === 'close' ? chunk.length : Math.min(chunk.length, at + this.#missing);
        complete = this.#takeBody(chunk.subarray(at, end));
        at = end;
      } else {
        const lf = chunk.indexOf(LF, at);
        const end = lf === -1 ? chunk.length : lf + 1;
        complete = this.#takeLine(chunk.subarray(at, end), lf !== -1);
        at = end;
      }
    }
    if (!complete) {
      this.#takeMemory(0, 0);
      return undefined;
    }
    this.#state = 'over';
    if (at < chunk.length) throw new AnswerError('SURPLUS', 'bytes follow the answer');
    return this.#answer(keepsAlive(this.#head as StatusLine, this.#fields));
  }

  /** Gives back the memory that it took; nothing is read any more. */
  close(): void {
    this.#state = 'over';
    this.#memory?.give(this.#taken);
    this.#taken = 0;
  }

  /**
   * Takes memory for what is there and so many bytes more, before they are copied. An answer that comes in one piece
   * needs none: it is gone again before anything else happens.
   */
  #takeMemory(line: number, body: number): void {
    const buffers = this.#line.capacityWith(line) + this.#body.capacityWith(body);
    const held = WITH_GARBAGE * (buffers + this.#fieldBytes - INCLUDED_BYTES);
    const more = held - this.#taken;
    if (!this.#memory || more <= 0) return;
    if (!this.#memory.take(more)) {
      throw new AnswerError(
        'NO_ROOM',
        'the operator gave up its answer: runs of this namespace, or of others, hold all the connections and memory that it has for nodes. Run fewer at once, or have the nodes answer with less',
      );
    }
    this.#taken += more;
  }

  #answer(keepAlive: boolean): HttpAnswer {
    const { status } = this.#head as StatusLine;
    return { status, headers: this.#fields, body: this.#body.take(), keepAlive };
  }

  /** @returns whether the answer is complete with these bytes */
  #takeBody(part: Buffer): boolean {
    if (this.#state === 'close') this.#allowBody(part.length);
    else this.#missing -= part.length;
    const goesOn = this.#state === 'close' || this.#missing > 0;
    if (goesOn) this.#takeMemory(0, part.length);
    this.#body.append(part);
    if (goesOn) return false;
    if (this.#state === 'sized') return true;
    this.#state = 'chunkEnd';
    return false;
  }

  /** @throws AnswerError as soon as a length is announced, or was read, that exceeds the bound */
  #allowBody(bytes: number): void {
    this.#bodyLeft -= bytes;
    if (this.#bodyLeft < 0) {
      throw new AnswerError('BODY_TOO_LARGE', `the body is longer than ${this.#bounds.bodyBytes} bytes`);
    }
  }

  /** Takes a line or a part of one. @returns whether the answer is complete with it */
  #takeLine(part: Buffer, whole: boolean): boolean {
    this.#boundLine(part.length);
    const inPieces = !whole || this.#line.length > 0;
    if (!whole || part.length > WHOLE_HEAD_BYTES) this.#takeMemory(part.length, 0);
    if (inPieces) this.#line.append(part);
    if (!whole) return false;
    const line = (inPieces ? this.#line.take() : part).toString('latin1');
    if (!line.endsWith('\r\n')) throw this.#malformed();
    return this.#onLine(line.slice(0, -2));
  }

  #boundLine(bytes: number): void {
    if (this.#state === 'size' || this.#state === 'chunkEnd') {
      if (this.#line.length + bytes > CHUNK_LINE_BYTES) throw this.#malformed();
      return;
    }
    this.#headLeft -= bytes;
    if (this.#headLeft < 0) {
      throw new AnswerError('HEAD_TOO_LARGE', `the head is longer than ${this.#bounds.headBytes} bytes`);
    }
  }

  #malformed(): AnswerError {
    if (this.#state === 'status') {
      return new AnswerError('BAD_STATUS_LINE', 'the status line does not end with CR LF');
    }
    if (this.#state === 'size' || this.#state === 'chunkEnd') {
      return new AnswerError('BAD_CHUNK', 'a chunk of the body is malformed');
    }
    return new AnswerError('BAD_HEADER', 'a header line does not end with CR LF');
  }

  #onLine(line: string): boolean {
    switch (this.#state as LineState) {
      case 'status':
        this.#head = parseStatusLine(line);
        this.#state = 'headers';
        return false;
      case 'headers':
        if (line === '') return this.#onHead(this.#head as StatusLine);
        this.#keep(line);
        return false;
      case 'trailers':
        if (line === '') return true;
        this.#countHeader();
        parseField(line);
        return false;
      case 'size':
        this.#onChunkSize(line);
        return false;
      case 'chunkEnd':
        if (line !== '') throw this.#malformed();
        this.#state = 'size';
        return false;
      default:
        throw new Error(`no line is read in state ${this.#state}`);
    }
  }

  #countHeader(): void {
    this.#headersLeft -= 1;
    if (this.#headersLeft < 0) {
      throw new AnswerError('TOO_MANY_HEADERS', `the answer has more than ${this.#bounds.headers} headers`);
    }
  }

  #keep(line: string): void {
    this.#countHeader();
    const [name, value] = parseField(line);
    const before = this.#fields.get(name);
    this.#fields.set(name, before === undefined ? value : `${before}, ${value}`);
    this.#fieldBytes += line.length + FIELD_BYTES;
    if (this.#fieldBytes > WHOLE_HEAD_BYTES) this.#takeMemory(0, 0);
  }

  #onHead(head: StatusLine): boolean {
    if (head.status < 200) {
      this.#passInformational(head.status);
      return false;
    }
    const framing = framingOf(head, this.#fields, this.#method);
    if (framing.kind === 'none') return true;
    if (framing.kind === 'length') {
      this.#allowBody(framing.length);
      this.#missing = framing.length;
      this.#body.expect(framing.length);
      this.#state = 'sized';
      return framing.length === 0;
    }
    this.#state = framing.kind === 'chunked' ? 'size' : 'close';
    return false;
  }

  #passInformational(status: number): void {
    if (status === 101) throw new AnswerError('UNASKED_UPGRADE', 'the server switches to another protocol');
    this.#informationalLeft -= 1;
    if (this.#informationalLeft < 0) {
      throw new AnswerError(
        'TOO_MANY_INFORMATIONAL',
        `more than ${this.#bounds.informational} informational answers came before the one that counts`,
      );
    }
    this.#fields = new Map();
    this.#fieldBytes = 0;
    this.#state = 'status';
  }

  #onChunkSize(line: string): void {
    const match = CHUNK_SIZE.exec(line);
    if (!match) throw this.#malformed();
    const size = Number.parseInt(match[1] as string, 16);
    if (size === 0) {
      this.#state = 'trailers';
      return;
    }
    this.#chunksLeft -= 1;
    if (this.#chunksLeft < 0) {
      throw new AnswerError('BAD_CHUNK', `the body comes in more than ${MOST_CHUNKS} chunks`);
    }
    this.#allowBody(size);
    this.#missing = size;
    this.#state = 'chunk';
  }
}

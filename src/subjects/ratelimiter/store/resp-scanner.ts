/**
 * Finds where replies end in a stream of RESP2 and refuses what is not RESP2, or larger than asked for, before
 * anybody makes room for it. Keeps no payload and allocates nothing while it scans. Pure.
 * The protocol: https://redis.io/docs/latest/develop/reference/protocol-spec/
 */

/** What one frame (a reply, or a command) may be at most. */
export interface RespBounds {
  /** Bytes of one bulk string. */
  readonly bulkBytes: number;
  /** Bytes of the whole frame, types and line ends included. */
  readonly frameBytes: number;
  /** Elements of all arrays of the frame together. */
  readonly elements: number;
  /** Arrays within arrays; 1 allows flat ones only. */
  readonly depth: number;
  /** Bytes of a simple string or an error, without its end. */
  readonly lineBytes: number;
}

/** What is wrong with the bytes. */
export type RespErrorCode =
  | 'UNKNOWN_TYPE'
  | 'BAD_LINE'
  | 'BAD_NUMBER'
  | 'LINE_TOO_LONG'
  | 'BULK_TOO_LARGE'
  | 'FRAME_TOO_LARGE'
  | 'TOO_MANY_ELEMENTS'
  | 'TOO_DEEP';

/** The bytes are no RESP2 or exceed a bound. The message names what came, and repeats none of it. */
export class RespError extends Error {
  readonly code: RespErrorCode;

  constructor(code: RespErrorCode, message: string) {
    super(message);
    this.name = 'RespError';
    this.code = code;
  }
}

const CR = 13;
const LF = 10;
const PLUS = 43;
const MINUS = 45;
const ZERO = 48;
const NINE = 57;
const COLON = 58;
const DOLLAR = 36;
const STAR = 42;

/** As many as a signed integer of 64 bits has. */
const INTEGER_DIGITS = 19;

/** What the next byte has to be. */
type Expected = 'type' | 'line' | 'number' | 'line end' | 'payload' | 'payload CR' | 'payload LF';

/** Scans one direction of one connection. After it has thrown, it throws the same again. */
export class RespScanner {
  readonly #bounds: RespBounds;
  /** How many elements each open array still lacks; the innermost is at `#level - 1`. */
  readonly #missing: Uint32Array;
  #level = 0;
  #expected: Expected = 'type';
  #type = 0;
  /** Bytes of the line, or digits of the number, so far. */
  #length = 0;
  #negative = false;
  #signed = false;
  #number = 0;
  #payloadLeft = 0;
  #frameBytes = 0;
  #elements = 0;
  #error: RespError | undefined;
  #end = 0;

  constructor(bounds: RespBounds) {
    this.#bounds = bounds;
    this.#missing = new Uint32Array(bounds.depth);
  }

  /** Whether a frame has begun and is not complete. */
  get inFrame(): boolean {
    return this.#expected !== 'type' || this.#level > 0;
  }

  /** Where, in the chunk scanned last, the last complete frame ends; 0 where none ends in it. */
  get end(): number {
    return this.#end;
  }

  /**
   * Takes the next bytes of the stream, however they are cut.
   * @returns how many frames became complete
   * @throws RespError
   */
  scan(chunk: Uint8Array): number {
    if (this.#error !== undefined) throw this.#error;
    this.#end = 0;
    let frames = 0;
    let at = 0;
    while (at < chunk.length) {
      let complete = false;
      if (this.#expected === 'payload') {
        // Counted in full when its length was read.
        const taken = Math.min(this.#payloadLeft, chunk.length - at);
        at += taken;
        this.#payloadLeft -= taken;
        if (this.#payloadLeft === 0) this.#expected = 'payload CR';
      } else {
        this.#count(1);
        complete = this.#take(chunk[at] ?? 0);
        at += 1;
      }
      if (complete) {
        frames += 1;
        this.#end = at;
        this.#frameBytes = 0;
        this.#elements = 0;
      }
    }
    return frames;
  }

  /** Takes one byte that is no payload. Returns whether it completes a frame. */
  #take(byte: number): boolean {
    if (this.#expected === 'type') {
      this.#takeType(byte);
    } else if (this.#expected === 'line') {
      if (byte === CR) this.#expected = 'line end';
      else this.#takeText(byte);
    } else if (this.#expected === 'number') {
      if (byte === CR) this.#endNumber();
      else this.#takeDigit(byte);
    } else if (this.#expected === 'payload CR') {
      this.#require(byte, CR);
      this.#expected = 'payload LF';
    } else {
      this.#require(byte, LF);
      return this.#expected === 'line end' ? this.#endLine() : this.#endValue();
    }
    return false;
  }

  #takeType(byte: number): void {
    if (byte === PLUS || byte === MINUS) {
      this.#expected = 'line';
    } else if (byte === COLON || byte === DOLLAR || byte === STAR) {
      this.#expected = 'number';
    } else {
      this.#fail('UNKNOWN_TYPE', `byte 0x${hex(byte)} where a type of RESP2 belongs`);
    }
    this.#type = byte;
    this.#length = 0;
    this.#number = 0;
    this.#negative = false;
    this.#signed = false;
  }

  #takeText(byte: number): void {
    if (byte === LF) this.#fail('BAD_LINE', 'a line with a stray end');
    this.#length += 1;
    if (this.#length > this.#bounds.lineBytes) {
      this.#fail('LINE_TOO_LONG', `a line of more than ${this.#bounds.lineBytes} bytes`);
    }
  }

  #takeDigit(byte: number): void {
    const isInteger = this.#type === COLON;
    if (this.#length === 0 && !this.#signed && (byte === MINUS || (isInteger && byte === PLUS))) {
      this.#signed = true;
      this.#negative = byte === MINUS;
      return;
    }
    if (byte < ZERO || byte > NINE) this.#fail('BAD_NUMBER', 'a number that is none');
    this.#length += 1;
    if (this.#length > INTEGER_DIGITS) {
      this.#fail('BAD_NUMBER', `a number of more than ${INTEGER_DIGITS} digits`);
    }
    if (isInteger) return;
    this.#number = this.#number * 10 + byte - ZERO;
    if (this.#negative) {
      if (this.#number !== 1) this.#fail('BAD_NUMBER', 'a negative length other than -1');
    } else if (this.#type === DOLLAR && this.#number > this.#bounds.bulkBytes) {
      this.#fail('BULK_TOO_LARGE', `a bulk string of more than ${this.#bounds.bulkBytes} bytes`);
    } else if (this.#type === STAR && this.#elements + this.#number > this.#bounds.elements) {
      this.#fail('TOO_MANY_ELEMENTS', `more than ${this.#bounds.elements} elements in one answer`);
    }
  }

  #endNumber(): void {
    if (this.#length === 0) this.#fail('BAD_NUMBER', 'a number without digits');
    this.#expected = 'line end';
  }

  /** The first line of a value is complete; it may be all of it. */
  #endLine(): boolean {
    const hasMore = !this.#negative && (this.#type === DOLLAR || (this.#type === STAR && this.#number > 0));
    if (!hasMore) return this.#endValue();
    if (this.#type === DOLLAR) {
      this.#count(this.#number);
      this.#payloadLeft = this.#number;
      this.#expected = this.#number === 0 ? 'payload CR' : 'payload';
      return false;
    }
    if (this.#level === this.#bounds.depth) {
      this.#fail('TOO_DEEP', `arrays nested more than ${this.#bounds.depth} deep`);
    }
    this.#elements += this.#number;
    this.#missing[this.#level] = this.#number;
    this.#level += 1;
    this.#expected = 'type';
    return false;
  }

  /** A value is complete, and with it every array of which it was the last element. */
  #endValue(): boolean {
    this.#expected = 'type';
    while (this.#level > 0) {
      const left = (this.#missing[this.#level - 1] ?? 1) - 1;
      this.#missing[this.#level - 1] = left;
      if (left > 0) return false;
      this.#level -= 1;
    }
    return true;
  }

  #count(bytes: number): void {
    this.#frameBytes += bytes;
    if (this.#frameBytes > this.#bounds.frameBytes) {
      this.#fail('FRAME_TOO_LARGE', `an answer of more than ${this.#bounds.frameBytes} bytes`);
    }
  }

  #require(byte: number, wanted: number): void {
    if (byte !== wanted) this.#fail('BAD_LINE', 'a line or a string without its end');
  }

  #fail(code: RespErrorCode, what: string): never {
    this.#error = new RespError(code, what);
    throw this.#error;
  }
}

function hex(byte: number): string {
  return byte.toString(16).padStart(2, '0');
}

/**
 * Passes replies of Redis on to ioredis, each once it is complete and within bounds, and none without a command.
 * ioredis allocates memory for the announced size of a reply: `*16000000\r\n`, a few times, ends the process, and so
 * does a reply that belongs to no command, or one of RESP3. Pure. The protocol:
 * https://redis.io/docs/latest/develop/reference/protocol-spec/
 */
import { brokenProtocol, RedisWireError } from './redis-error.ts';

/** Elements of one reply: HGETALL of 256 counters. */
export const MOST_ELEMENTS = 512;
/** The longest line of Redis takes 1 KiB: why it accepts no connections. */
const MOST_LINE_BYTES = 4096;
/** Characters of a refusal that are repeated. */
const REFUSAL_CHARACTERS = 300;
const NOTHING = Buffer.alloc(0);

export class ReplyGate {
  #memory = NOTHING;
  /** Bytes of the memory that belong to an incomplete reply. */
  #held = 0;
  /** The most bytes of each reply that is to come. */
  readonly #owed: number[] = [];

  /** A command was sent; it has one reply, of at most this many bytes, including types and line ends. */
  expect(mostBytes: number): void {
    this.#owed.push(mostBytes);
  }

  /**
   * Takes the next bytes, which may be overwritten afterwards.
   * @returns the replies that they complete; empty if none
   * @throws RedisWireError PROTOCOL, REFUSED; the connection has to be ended then
   */
  take(part: Uint8Array): Buffer {
    this.#keep(part);
    const bytes = this.#memory.subarray(0, this.#held);
    let end = 0;
    while (end < bytes.length) {
      const [mostBytes] = this.#owed;
      if (mostBytes === undefined) throw withoutCommand(bytes.subarray(end));
      const next = endOfReply(bytes, end, mostBytes);
      if (next === undefined) break;
      this.#owed.shift();
      end = next;
    }
    const complete = Buffer.from(bytes.subarray(0, end));
    if (end > 0) this.#memory.copyWithin(0, end, this.#held);
    this.#held -= end;
    if (this.#held === 0) this.#memory = NOTHING;
    return complete;
  }

  /** In one piece: a reply in a thousand small parts takes no more memory than its bytes. */
  #keep(part: Uint8Array): void {
    const length = this.#held + part.length;
    if (length > this.#memory.length) {
      const larger = Buffer.allocUnsafe(Math.max(length, 2 * this.#memory.length));
      this.#memory.copy(larger, 0, 0, this.#held);
      this.#memory = larger;
    }
    this.#memory.set(part, this.#held);
    this.#held = length;
  }
}

/** The line of an element of RESP2: its type, and a text, a number or a length. */
const ELEMENT = /^(?:[+-][^\r\n]*|:[+-]?\d{1,19}|[$*](?:-1|\d{1,19}))$/;

/** The end of the reply at `from`; undefined if it is incomplete. @throws RedisWireError PROTOCOL */
function endOfReply(bytes: Buffer, from: number, mostBytes: number): number | undefined {
  let at = from;
  let elements = 0;
  for (let left = 1; left > 0; left -= 1) {
    const lineEnd = bytes.indexOf('\r\n', at, 'latin1');
    if ((lineEnd === -1 ? bytes.length : lineEnd) - at > MOST_LINE_BYTES) {
      throw brokenProtocol(`a line of more than ${MOST_LINE_BYTES} bytes`);
    }
    if (lineEnd === -1) return undefined;
    const line = bytes.toString('latin1', at, lineEnd);
    if (!ELEMENT.test(line)) throw brokenProtocol('what is no reply of RESP2');
    at = lineEnd + 2;
    const length = Math.max(0, Number(line.slice(1)));
    if (line.startsWith('*')) {
      elements += length;
      left += length;
    } else if (line.startsWith('$') && line !== '$-1') {
      at += length + 2;
      if (at <= bytes.length && bytes.toString('latin1', at - 2, at) !== '\r\n') {
        throw brokenProtocol('a string without its end');
      }
    }
    if (elements > MOST_ELEMENTS) throw brokenProtocol(`more than ${MOST_ELEMENTS} elements in one reply`);
    if (at - from > mostBytes) throw brokenProtocol(`a reply of more than ${mostBytes} bytes`);
  }
  return at <= bytes.length ? at : undefined;
}

/** A server that accepts no clients answers an error, and hangs up: that is worth repeating. */
function withoutCommand(bytes: Buffer): RedisWireError {
  const line = /^-([^\r]+)\r\n$/.exec(bytes.toString('latin1', 0, MOST_LINE_BYTES))?.[1];
  if (line === undefined) return brokenProtocol('more replies than there were commands');
  return new RedisWireError('REFUSED', line.replace(/[^ -~]/g, '?').slice(0, REFUSAL_CHARACTERS));
}

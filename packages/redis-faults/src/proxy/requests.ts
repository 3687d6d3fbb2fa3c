/**
 * Finds where commands end in the bytes that a client of Redis sends. It keeps no bytes but the start of a name, so a
 * command of any length costs no memory.
 * Source: https://redis.io/docs/latest/develop/reference/protocol-spec/#sending-commands-to-a-redis-server
 */

/** Arguments of a command that Redis accepts. */
const MOST_ARGUMENTS = 1_048_576;
/** Bytes of an argument that Redis accepts. */
const MOST_BYTES = 512 * 1024 * 1024;
/** Digits of a number in a header, with its sign. */
const MOST_DIGITS = 11;
/** Characters of a line or an argument that are read; longer names are of no interest. */
const MOST_TEXT = 40;

/** After these, Redis sends replies without a request, or none for one, so pending replies cannot be counted. */
const UNCOUNTABLE = new Set([
  'SUBSCRIBE',
  'PSUBSCRIBE',
  'SSUBSCRIBE',
  'UNSUBSCRIBE',
  'PUNSUBSCRIBE',
  'SUNSUBSCRIBE',
  'MONITOR',
  'SYNC',
  'PSYNC',
]);

const [CR, LF, SPACE, MINUS, ZERO, NINE, STAR, DOLLAR] = [13, 10, 32, 45, 48, 57, 42, 36] as const;

/** Nothing: an empty line or array, to which Redis does not reply. */
export type CommandKind = 'Nothing' | 'Ping' | 'Other';

type State = 'Start' | 'Inline' | 'Arguments' | 'Argument' | 'Length' | 'Body';

export class RequestScanner {
  #state: State = 'Start';
  #number = '';
  /** Arguments of the command that are still to come, with the current one. */
  #left = 0;
  /** Bytes of the argument that are still to come, with its line end. */
  #bytes = 0;
  /** The current line or argument as far as it is read; undefined: it is no part of a name. */
  #text: string | undefined;
  /** The arguments that were read: the name of the command, and the one after it. */
  #words: string[] = [];
  #isBroken = false;
  #kind: CommandKind = 'Nothing';

  /** No command has begun and not ended. */
  get isBetween(): boolean {
    return this.#state === 'Start';
  }

  /** These bytes are no commands of Redis, such as TLS, or replies cannot be counted from here on. */
  get isBroken(): boolean {
    return this.#isBroken;
  }

  /** Of the command that ended last. */
  get kind(): CommandKind {
    return this.#kind;
  }

  /** The end of the next command in `chunk`, at or after `from`; undefined: it does not end in it. */
  next(chunk: Buffer, from: number): number | undefined {
    let at = from;
    while (at < chunk.length && !this.#isBroken) {
      if (this.#state === 'Body') {
        const taken = Math.min(this.#bytes, chunk.length - at);
        if (this.#text !== undefined)
          this.#read(chunk.toString('latin1', at, at + Math.min(taken, MOST_TEXT)));
        at += taken;
        this.#bytes -= taken;
        if (this.#bytes === 0 && this.#endArgument()) return at;
      } else if (this.#take(chunk[at++] ?? 0)) return at;
    }
    return undefined;
  }

  /** @returns whether a command has ended with this byte */
  #take(byte: number): boolean {
    switch (this.#state) {
      case 'Start':
        [this.#number, this.#text, this.#words] = ['', '', []];
        if (byte === STAR) this.#state = 'Arguments';
        // TLS, for example: no line of text begins so.
        else if (byte < SPACE && byte !== CR && byte !== LF) this.#isBroken = true;
        else return this.#line(byte);
        return false;
      case 'Inline':
        return this.#line(byte);
      case 'Argument':
        if (byte === DOLLAR) [this.#number, this.#state] = ['', 'Length'];
        else this.#isBroken = true;
        return false;
      case 'Arguments':
      case 'Length':
        return this.#header(byte);
      case 'Body':
        return false;
      default:
        return this.#state satisfies never;
    }
  }

  /** A line of text is a command, too. */
  #line(byte: number): boolean {
    this.#state = 'Inline';
    if (byte !== LF) {
      this.#read(String.fromCharCode(byte));
      return false;
    }
    this.#words = (this.#text ?? '').split(/\s+/).filter((word) => word !== '');
    return this.#end();
  }

  /** @returns whether a command has ended: an array without arguments */
  #header(byte: number): boolean {
    if (byte === CR) return false;
    if (byte !== LF) {
      const isDigit = (byte >= ZERO && byte <= NINE) || (byte === MINUS && this.#number === '');
      if (isDigit && this.#number.length < MOST_DIGITS) this.#number += String.fromCharCode(byte);
      else this.#isBroken = true;
      return false;
    }
    const number = /\d/.test(this.#number) ? Number(this.#number) : Number.NaN;
    if (this.#state === 'Arguments') {
      if (number <= 0) return this.#end();
      if (!(number <= MOST_ARGUMENTS)) this.#isBroken = true;
      [this.#left, this.#state] = [number, 'Argument'];
      return false;
    }
    if (!(number >= 0 && number <= MOST_BYTES)) this.#isBroken = true;
    this.#text = this.#words.length < 2 ? '' : undefined;
    [this.#bytes, this.#state] = [number + 2, 'Body'];
    return false;
  }

  #endArgument(): boolean {
    if (this.#text !== undefined) this.#words.push(this.#text.trimEnd());
    this.#left -= 1;
    this.#state = 'Argument';
    return this.#left === 0 && this.#end();
  }

  #end(): boolean {
    this.#state = 'Start';
    const [name, next] = this.#words.map((word) => word.toUpperCase());
    if (UNCOUNTABLE.has(name ?? '') || (name === 'CLIENT' && next === 'REPLY')) this.#isBroken = true;
    this.#kind = name === undefined ? 'Nothing' : name === 'PING' && next === undefined ? 'Ping' : 'Other';
    return true;
  }

  #read(text: string): void {
    if (this.#text !== undefined && this.#text.length < MOST_TEXT) this.#text += text;
  }
}

/**
 * Finds where values of RESP2 and RESP3 end in the bytes of one direction of a connection. It keeps no bytes but the header
 * of an element, so a value of any length costs no memory.
 * Source: https://redis.io/docs/latest/develop/reference/protocol-spec/#resp-protocol-description
 */

/** Digits of a number in a header, with its sign. */
const MOST_DIGITS = 20;
const [CR, LF] = [13, 10] as const;

/** How many elements follow each that a header counts. */
const AGGREGATES: Readonly<Record<string, number>> = { '*': 1, '~': 1, '>': 1, '%': 2, '|': 2 };
const BULKS = new Set(['$', '=', '!']);
/** A line without a type, which is a command, too. */
export const TEXT = 'Text';
const LINES = new Set(['+', '-', ':', '_', '#', ',', '(', TEXT]);

export abstract class RespScanner {
  #type = '';
  #number = '';
  /** Bytes of a bulk that are still to come, with its line end. */
  #bytes = 0;
  /** Elements of the current value that are still to come, with the current one. */
  #left = 0;
  #isBroken = false;

  /** The most elements of a value, nested ones included, and the most bytes of one of them. */
  protected abstract readonly most: { readonly elements: number; readonly bytes: number };

  /** The type of an element that begins so; undefined: none does. @param isFirst whether a value begins with it */
  protected abstract typeOf(first: string, isFirst: boolean): string | undefined;

  /** Receives what a line or a bulk has in this part of a chunk, with its line end. */
  protected onText(_chunk: Buffer, _from: number, _to: number): void {}

  /** A value has ended. @returns whether it can be followed by others */
  protected onEnd(): boolean {
    return true;
  }

  /** No value has begun and not ended. */
  get isBetween(): boolean {
    return this.#left === 0;
  }

  /** These bytes are no values of this direction, such as TLS, or values cannot be counted from here on. */
  get isBroken(): boolean {
    return this.#isBroken;
  }

  /** The end of the next value in `chunk`, at or after `from`; undefined: it does not end in it. */
  next(chunk: Buffer, from: number): number | undefined {
    let at = from;
    while (at < chunk.length && !this.#isBroken) {
      const start = at;
      let hasEnded = false;
      if (this.#type === '') {
        at += this.#begin(String.fromCharCode(chunk[at] ?? 0));
      } else if (this.#bytes > 0) {
        at = Math.min(at + this.#bytes, chunk.length);
        this.#bytes -= at - start;
        hasEnded = this.#bytes === 0;
        this.onText(chunk, start, at);
      } else if (LINES.has(this.#type)) {
        const end = chunk.indexOf(LF, at);
        at = end === -1 ? chunk.length : end + 1;
        hasEnded = end !== -1;
        this.onText(chunk, start, at);
      } else {
        hasEnded = this.#header(chunk[at] ?? 0);
        at += 1;
      }
      if (hasEnded && this.#endElement()) return at;
    }
    return undefined;
  }

  /** @returns how many bytes its type takes */
  #begin(first: string): number {
    const type = this.typeOf(first, this.isBetween);
    if (this.isBetween) this.#left = 1;
    [this.#type, this.#number] = [type ?? '', ''];
    if (!(this.#type in AGGREGATES || BULKS.has(this.#type) || LINES.has(this.#type))) this.#isBroken = true;
    return type === TEXT ? 0 : 1;
  }

  /** @returns whether the element has ended with this byte */
  #header(byte: number): boolean {
    if (byte === CR) return false;
    if (byte !== LF) {
      if (this.#number.length < MOST_DIGITS) this.#number += String.fromCharCode(byte);
      else this.#isBroken = true;
      return false;
    }
    const number = /^-?\d+$/.test(this.#number) ? Number(this.#number) : Number.NaN;
    const each = AGGREGATES[this.#type];
    const most = each === undefined ? this.most.bytes : this.most.elements - this.#left + 1;
    if (!(number >= -1 && number <= most)) this.#isBroken = true;
    if (each === undefined) {
      this.#bytes = number + 2;
      return number < 0;
    }
    this.#left += each * Math.max(0, number);
    // An attribute comes in addition to the element that it describes.
    if (this.#type !== '|') return true;
    this.#type = '';
    return false;
  }

  /** @returns whether the value has ended with it */
  #endElement(): boolean {
    [this.#type, this.#bytes] = ['', 0];
    this.#left -= 1;
    if (this.#left > 0) return false;
    if (!this.onEnd()) this.#isBroken = true;
    return true;
  }
}

/**
 * Counts the replies in the bytes that Redis sends, of RESP2 and RESP3. It keeps no bytes but the header of an element.
 * Source: https://redis.io/docs/latest/develop/reference/protocol-spec/#resp-protocol-description
 */

/** Digits of a number in a header, with its sign. */
const MOST_DIGITS = 20;
/** Elements of one reply, nested ones included. */
const MOST_ELEMENTS = 1_000_000_000;

const [CR, LF] = [13, 10] as const;

/** How many elements follow each that a header counts. */
const AGGREGATES: Readonly<Record<string, number>> = { '*': 1, '~': 1, '>': 1, '%': 2, '|': 2 };
const BULKS = new Set(['$', '=', '!']);
const LINES = new Set(['+', '-', ':', '_', '#', ',', '(']);

export class ReplyScanner {
  #type = '';
  #number = '';
  /** Bytes of a bulk that are still to come, with its line end. */
  #bytes = 0;
  /** Elements of the current reply that are still to come. */
  #left = 0;
  #isPush = false;
  #isBroken = false;

  /** These bytes are no replies of Redis. */
  get isBroken(): boolean {
    return this.#isBroken;
  }

  /** How many replies end in `chunk`. Pushed messages are none: no command requests them. */
  count(chunk: Buffer): number {
    let replies = 0;
    let at = 0;
    while (at < chunk.length && !this.#isBroken) {
      if (this.#bytes > 0) {
        const taken = Math.min(this.#bytes, chunk.length - at);
        at += taken;
        this.#bytes -= taken;
        if (this.#bytes === 0) replies += this.#endElement();
      } else if (this.#type === '') {
        this.#begin(String.fromCharCode(chunk[at] ?? 0));
        at += 1;
      } else if (LINES.has(this.#type)) {
        const end = chunk.indexOf(LF, at);
        if (end === -1) return replies;
        at = end + 1;
        replies += this.#endElement();
      } else {
        replies += this.#header(chunk[at] ?? 0);
        at += 1;
      }
    }
    return replies;
  }

  #begin(type: string): void {
    if (this.#left === 0) {
      this.#left = 1;
      this.#isPush = type === '>';
    }
    [this.#type, this.#number] = [type, ''];
    if (!(type in AGGREGATES) && !BULKS.has(type) && !LINES.has(type)) this.#isBroken = true;
  }

  #header(byte: number): number {
    if (byte === CR) return 0;
    if (byte !== LF) {
      if (this.#number.length < MOST_DIGITS) this.#number += String.fromCharCode(byte);
      else this.#isBroken = true;
      return 0;
    }
    const number = /^-?\d+$/.test(this.#number) ? Number(this.#number) : Number.NaN;
    if (!(number >= -1 && number + this.#left <= MOST_ELEMENTS)) this.#isBroken = true;
    const each = AGGREGATES[this.#type];
    if (each === undefined) {
      if (number < 0) return this.#endElement();
      this.#bytes = number + 2;
      return 0;
    }
    this.#left += each * Math.max(0, number);
    // An attribute comes in addition to the element that it describes.
    if (this.#type === '|') {
      this.#type = '';
      return 0;
    }
    return this.#endElement();
  }

  /** @returns 1 if a reply has ended with it */
  #endElement(): number {
    this.#type = '';
    this.#left -= 1;
    return this.#left === 0 && !this.#isPush ? 1 : 0;
  }
}

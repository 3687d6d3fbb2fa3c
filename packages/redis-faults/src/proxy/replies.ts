/** Counts the replies in the bytes that Redis sends. */
import { RespScanner } from './resp.ts';

export class ReplyScanner extends RespScanner {
  protected readonly most = { elements: 1_000_000_000, bytes: 1_000_000_000 };
  #isPush = false;

  /** How many replies end in `chunk`. Pushed messages are none: no command requests them. */
  count(chunk: Buffer): number {
    let replies = 0;
    for (let at = this.next(chunk, 0); at !== undefined; at = this.next(chunk, at)) {
      if (!this.#isPush) replies += 1;
    }
    return replies;
  }

  protected typeOf(first: string, isFirst: boolean): string {
    if (isFirst) this.#isPush = first === '>';
    return first;
  }
}

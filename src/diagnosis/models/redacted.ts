/** Removes keys from all text that is shown. */
import { printable, truncate } from '../../api/index.ts';

const HIDDEN = '[key]';

/**
 * Text of a server as one printable line of at most `most` characters, without the key or anything that resembles one.
 */
export function redacted(text: string, key: string | undefined, most: number): string {
  // A server may send a lot: process little more than can be shown, and cut off a key that lies across the cut.
  const excerpt = text.slice(0, most + 4096);
  const own = key === undefined ? excerpt : excerpt.replaceAll(key, HIDDEN);
  const without = own.replaceAll(/\b(sk-|Bearer\s+)[\w.-]{8,}/gi, HIDDEN);
  return truncate(printable(without), most).toWellFormed();
}

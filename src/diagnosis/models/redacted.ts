/** Keeps keys out of everything that is shown. */
import { printable, truncate } from '../../api/index.ts';

const HIDDEN = '[key]';

/** Text of a server as one printable line of at most so many characters, without the key and without what looks like one. */
export function redacted(text: string, key: string | undefined, most: number): string {
  // A server may send a lot: no more is looked at than can be shown, and a key that lies across the cut is cut off.
  const looked = text.slice(0, most + 4096);
  const without = withoutKey(looked, key).replaceAll(/\b(sk-|Bearer\s+)[\w.-]{8,}/gi, HIDDEN);
  return truncate(printable(without), most).toWellFormed();
}

/** The same text with {@link HIDDEN} wherever the key stood. */
export function withoutKey(text: string, key: string | undefined): string {
  return key === undefined ? text : text.replaceAll(key, HIDDEN);
}

/** Parses the JSON body of an answer. The body is untrusted, so size and depth are checked before parsing. Pure. */

import type { HttpAnswer } from './answer.ts';

/** Enough for a decision and its envelope. Parsing takes at most 100 µs, measured. */
const JSON_BYTES = 4 * 1024;
/** Deeply nested JSON takes ten times as long to parse as flat JSON of the same size. */
const MOST_DEEP = 32;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPENING: ReadonlySet<number> = new Set(Buffer.from('[{'));
const CLOSING: ReadonlySet<number> = new Set(Buffer.from(']}'));

/** The parsed body; undefined if it is not JSON, longer than 4 KiB, or nested more than 32 deep. */
export function parseJson(body: Buffer): unknown {
  if (body.length > JSON_BYTES || !isFlat(body)) return undefined;
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    return undefined;
  }
}

/** The value at a JSON Pointer (RFC 6901), as a string; undefined for objects, lists, and missing members. */
export function memberAt(json: unknown, pointer: string): string | undefined {
  let value = json;
  for (const part of pointer.split('/').slice(1)) {
    const name = part.replaceAll('~1', '/').replaceAll('~0', '~');
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
    value = (value as Record<string, unknown>)[name];
  }
  if (typeof value === 'string') return value;
  return typeof value === 'number' || typeof value === 'boolean' ? JSON.stringify(value) : undefined;
}

function isFlat(body: Buffer): boolean {
  let depth = 0;
  let inString = false;
  for (let at = 0; at < body.length; at += 1) {
    const byte = body[at] as number;
    if (byte === QUOTE) inString = !inString;
    else if (inString) at += byte === BACKSLASH ? 1 : 0;
    else if (OPENING.has(byte)) depth += 1;
    else if (CLOSING.has(byte)) depth -= 1;
    if (depth > MOST_DEEP) return false;
  }
  return true;
}

/** A part of an answer, as a text: a header, or a member of its JSON body; undefined: it has none, or there is no place. */
export function partAt(
  place: { readonly header?: string | undefined; readonly pointer?: string | undefined } | undefined,
  { body, headers }: Pick<HttpAnswer, 'body' | 'headers'>,
): string | undefined {
  if (place?.pointer !== undefined) return memberAt(parseJson(body), place.pointer);
  const value = place?.header === undefined ? undefined : headers?.[place.header.toLowerCase()];
  return Array.isArray(value) ? value[0] : value;
}

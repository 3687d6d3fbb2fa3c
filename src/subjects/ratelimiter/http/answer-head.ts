/** The lines of an HTTP/1.1 head, one at a time, strictly by RFC 9112. Pure. */
import { AnswerError } from './answer-error.ts';

/** `HTTP/1.1 200 OK`; the space before an empty reason may be missing. */
const STATUS_LINE = /^HTTP\/1\.([01]) ([1-5][0-9]{2})(?: [\t\x20-\x7e\x80-\xff]*)?$/;
/**
 * A token, a colon right behind it, and a value without control characters. No two parts can match the same characters:
 * a run of 8,000 spaces would take such an expression 16 ms.
 */
const FIELD = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+):([\t\x20-\x7e\x80-\xff]*)$/;
const DIGITS = /^[0-9]{1,15}$/;

export interface StatusLine {
  /** HTTP/1.0 closes the connection unless it says otherwise, HTTP/1.1 keeps it. */
  readonly minor: 0 | 1;
  readonly status: number;
}

/** @throws AnswerError BAD_STATUS_LINE */
export function parseStatusLine(line: string): StatusLine {
  const match = STATUS_LINE.exec(line);
  if (!match)
    throw new AnswerError('BAD_STATUS_LINE', 'the answer does not begin with a status line of HTTP/1');
  return { minor: match[1] === '0' ? 0 : 1, status: Number(match[2]) };
}

/**
 * The name in lower case, and the value without the spaces around it.
 * @throws AnswerError BAD_HEADER, also for a line that continues the one before it
 */
export function parseField(line: string): readonly [name: string, value: string] {
  const match = FIELD.exec(line);
  if (!match) throw new AnswerError('BAD_HEADER', 'a header line is malformed');
  return [(match[1] as string).toLowerCase(), trimmed(match[2] as string)];
}

/** Without the spaces and tabs around it, and with those of other alphabets. */
function trimmed(value: string): string {
  const isBlank = (at: number): boolean => value[at] === ' ' || value[at] === '\t';
  let [from, to] = [0, value.length];
  while (from < to && isBlank(from)) from += 1;
  while (to > from && isBlank(to - 1)) to -= 1;
  return value.slice(from, to);
}

/** How the end of a body is found. */
type Framing =
  | { readonly kind: 'none' }
  | { readonly kind: 'length'; readonly length: number }
  | { readonly kind: 'chunked' }
  | { readonly kind: 'close' };

/**
 * @param fields names in lower case; a repeated one holds all values, joined by `, `
 * @param method of the request that is answered
 * @throws AnswerError BAD_LENGTH, UNSUPPORTED_ENCODING
 */
export function framingOf(
  { status, minor }: StatusLine,
  fields: ReadonlyMap<string, string>,
  method: string,
): Framing {
  const length = fields.get('content-length');
  const coding = fields.get('transfer-encoding');
  if (length !== undefined && coding !== undefined) {
    throw new AnswerError('BAD_LENGTH', 'the answer has both a content-length and a transfer-encoding');
  }
  // Also where no body follows: a value that is wrong shows that the rest cannot be trusted.
  if (length !== undefined && !DIGITS.test(length)) {
    throw new AnswerError('BAD_LENGTH', 'the content-length is not one number');
  }
  if (coding !== undefined && (coding.toLowerCase() !== 'chunked' || minor === 0)) {
    throw new AnswerError(
      'UNSUPPORTED_ENCODING',
      'the transfer-encoding is not the one of HTTP/1.1, chunked',
    );
  }
  if (method === 'HEAD' || status === 204 || status === 304) return { kind: 'none' };
  if (coding !== undefined) return { kind: 'chunked' };
  return length === undefined ? { kind: 'close' } : { kind: 'length', length: Number(length) };
}

/** Whether the server keeps the connection for another request. */
export function keepsAlive({ minor }: StatusLine, fields: ReadonlyMap<string, string>): boolean {
  const options = new Set((fields.get('connection') ?? '').toLowerCase().split(',').map(trimmed));
  if (options.has('close')) return false;
  return minor === 1 || options.has('keep-alive');
}

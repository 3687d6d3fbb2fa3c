/** What can be wrong with an answer of somebody else's HTTP server. */

/**
 * BAD_STATUS_LINE, BAD_HEADER, BAD_LENGTH, BAD_CHUNK: the bytes are not as RFC 9112 has them.
 * UNSUPPORTED_ENCODING: a transfer coding other than `chunked`. UNASKED_UPGRADE: 101, which nobody asked for.
 * HEAD_TOO_LARGE, TOO_MANY_HEADERS, TOO_MANY_INFORMATIONAL, BODY_TOO_LARGE: beyond a bound.
 * CLOSED_EARLY: the connection ended within the answer. SURPLUS: bytes behind the answer.
 * NO_ROOM: nothing is wrong with it, but there is no memory for the rest of it.
 */
export type AnswerErrorCode =
  | 'BAD_STATUS_LINE'
  | 'BAD_HEADER'
  | 'BAD_LENGTH'
  | 'BAD_CHUNK'
  | 'UNSUPPORTED_ENCODING'
  | 'UNASKED_UPGRADE'
  | 'HEAD_TOO_LARGE'
  | 'TOO_MANY_HEADERS'
  | 'TOO_MANY_INFORMATIONAL'
  | 'BODY_TOO_LARGE'
  | 'CLOSED_EARLY'
  | 'SURPLUS'
  | 'NO_ROOM';

/** An answer that cannot be taken; the message holds nothing that the server sent. */
export class AnswerError extends Error {
  readonly code: AnswerErrorCode;

  constructor(code: AnswerErrorCode, message: string) {
    super(message);
    this.name = 'AnswerError';
    this.code = code;
  }
}

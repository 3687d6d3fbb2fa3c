/**
 * The closed table of errors that the limiter returns. Every error body is `{error: {code, message}}`; callers branch
 * on the code, people read the message.
 */

/** HTTP status of each code, and the information or advice for people. */
const LIMITER_ERRORS = {
  INVALID_REQUEST: { status: 400, message: 'the request is not valid' },
  BODY_TOO_LARGE: { status: 413, message: 'the request body is larger than 4096 bytes' },
  UNSUPPORTED_MEDIA_TYPE: { status: 415, message: 'send the body as application/json' },
  ROUTE_NOT_FOUND: { status: 404, message: 'there is no such endpoint' },
  REDIS_UNAVAILABLE: {
    status: 503,
    message: 'Redis cannot be reached or refused the command: see GET /health and the log of this pod',
  },
  CHECK_DEADLINE_EXCEEDED: {
    status: 503,
    message:
      'Redis gave no answer before the deadline of the check; not admitted, since strict mode never guesses',
  },
  INTERNAL: { status: 500, message: 'the limiter failed; its log has the reason' },
} as const satisfies Record<string, { status: number; message: string }>;

export type LimiterErrorCode = keyof typeof LIMITER_ERRORS;

/** An error with a code of the table; `message` defaults to that of the table. */
export class LimiterError extends Error {
  readonly code: LimiterErrorCode;

  constructor(code: LimiterErrorCode, message: string = LIMITER_ERRORS[code].message, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'LimiterError';
    this.code = code;
  }

  /** HTTP status of the response. */
  get status(): number {
    return LIMITER_ERRORS[this.code].status;
  }
}

/** Converts the error of a connection to one of the interface. @throws LimiterError, always */
export function unavailable(cause: unknown): never {
  throw cause instanceof LimiterError ? cause : new LimiterError('REDIS_UNAVAILABLE', undefined, cause);
}

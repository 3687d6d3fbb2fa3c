/** A check without a decision, which admits nothing. The HTTP server responds with its status, code and message. */
export class UndecidedError extends Error {
  override readonly name = 'UndecidedError';
  readonly statusCode = 503;
  /** Stable: callers branch on it, and people read the message. */
  readonly code: 'CHECK_DEADLINE_EXCEEDED' | 'REDIS_UNAVAILABLE';

  constructor(code: UndecidedError['code'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

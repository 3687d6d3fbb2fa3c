/**
 * The ways a call to the API server fails: it returned an error ({@link ApiError}), no response came ({@link
 * ApiUnreachableError}), or one that is too large to be read ({@link AnswerTooLargeError}). After the last two, a write
 * may have happened.
 */

/** The members used here of the `Status` object that the API server sends with an error. */
export interface KubeStatus {
  code?: number;
  reason?: string;
  message?: string;
  details?: { retryAfterSeconds?: number };
}

const longestMessage = 1024;

/** Reads the body of an error; one that is not JSON is from something between us and the API server. */
export function statusIn(text: string): KubeStatus {
  try {
    return JSON.parse(text) as KubeStatus;
  } catch {
    return { message: text.trim() };
  }
}

/** The API server (or a proxy before it) returned an error. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  /** The HTTP status; in a watch, the code of the ERROR event. */
  readonly status: number;
  /** The machine-readable reason, such as `NotFound`, `AlreadyExists` or `Expired`; '' if none was sent. */
  readonly reason: string;
  /** How long the server requests to wait before another attempt, in seconds. */
  readonly retryAfterSeconds: number | undefined;

  constructor(request: string, status: number, body: KubeStatus, retryAfterSeconds?: number) {
    const reason = body.reason ?? '';
    const text = (body.message ?? 'no message').slice(0, longestMessage);
    super(`${request}: ${status}${reason === '' ? '' : ` ${reason}`}: ${text}`);
    this.status = status;
    this.reason = reason;
    this.retryAfterSeconds = retryAfterSeconds ?? body.details?.retryAfterSeconds;
  }
}

/** No usable response came from the API server: connection refused or cut, TLS failure, deadline passed. */
export class ApiUnreachableError extends Error {
  override readonly name = 'ApiUnreachableError';
  /** `TIMEOUT`, or the code of the underlying error (`ECONNREFUSED`, `UND_ERR_SOCKET`, `CERT_HAS_EXPIRED` ...). */
  readonly code: string;

  constructor(request: string, code: string, text: string, cause?: unknown) {
    super(`${request}: no response from the API server (${code}): ${text}`, { cause });
    this.code = code;
  }
}

/** A response has more bytes than its reader takes; the rest was not read. A smaller request may help. */
export class AnswerTooLargeError extends Error {
  override readonly name = 'AnswerTooLargeError';

  constructor(request: string, maxBytes: number) {
    super(`${request}: the response has more than ${maxBytes} bytes`);
  }
}

/** 404: no such object, or no such resource type. */
export function isNotFound(error: unknown): error is ApiError {
  return error instanceof ApiError && error.status === 404;
}

/** The result of a request, or undefined if it is answered 404. */
export async function ifFound<T>(request: Promise<T>): Promise<T | undefined> {
  return await request.catch((error: unknown) => {
    if (!isNotFound(error)) throw error;
    return undefined;
  });
}

/** 409, whether the object changed since it was read, its uid differs, or it exists already. */
export function isConflict(error: unknown): error is ApiError {
  return error instanceof ApiError && error.status === 409;
}

/** 409 to a create: the name is taken. */
export function isAlreadyExists(error: unknown): error is ApiError {
  return isConflict(error) && error.reason === 'AlreadyExists';
}

/** 410: the resource version or continue token is too old to continue from; list again. */
export function isGone(error: unknown): error is ApiError {
  return error instanceof ApiError && error.status === 410;
}

/** 403: RBAC (or admission, or a terminating namespace) forbids it. */
export function isForbidden(error: unknown): error is ApiError {
  return error instanceof ApiError && error.status === 403;
}

/** Whether the same request may succeed later: no answer, 429, or a failure of the server. */
export function isTransient(error: unknown): boolean {
  if (error instanceof ApiUnreachableError) return true;
  return error instanceof ApiError && (error.status === 429 || error.status >= 500);
}

/** What experiments with callers need of an interface, whatever the rate limiter speaks. */

import type { HttpAnswer } from '../http/answer.ts';
import type { HttpRequest } from '../http/request.ts';

/** What the limiter said of a request. An answer that says neither is an error. */
export type Decision = 'Admitted' | 'Rejected';

/** Callers of a rate limiter; each is known to it by a key of its own. */
export interface Callers {
  /** The request that counts for the caller of this key. */
  requestOf(key: string): HttpRequest;
  /** A text of the spec with the identity of this caller in it. */
  fillIn(text: string, key: string): string;
  /** @throws Error that says what is wrong with an answer that says neither: `answered 503` */
  read(answer: Pick<HttpAnswer, 'status' | 'headers' | 'body'>): Decision;
}

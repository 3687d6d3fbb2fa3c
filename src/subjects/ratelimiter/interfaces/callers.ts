/** What experiments with callers need of an interface, whatever protocol the rate limiter uses. */

import type { HttpAnswer } from '../http/answer.ts';
import type { HttpRequest } from '../http/request.ts';

/** The decision of the limiter on a request. An answer that shows neither is an error. */
export type Decision = 'Admitted' | 'Rejected';

/** Callers of a rate limiter; each is identified by its own key. */
export interface Callers {
  /** The request that counts for the caller of this key. */
  requestOf(key: string): HttpRequest;
  /** Fills the identity of this caller into a text of the spec. */
  fillIn(text: string, key: string): string;
  /** @throws Error with the problem of an answer that shows neither: `answered 503` */
  read(answer: Pick<HttpAnswer, 'status' | 'body'>): Decision;
}

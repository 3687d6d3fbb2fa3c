/** Callers of the reference limiter: each is a key with a window that the demo has begun. Pure. */

import type { HttpAnswer } from '../../http/answer.ts';
import type { HttpRequest } from '../../http/request.ts';
import type { Callers, Decision } from '../callers.ts';
import { readCheck } from './check-answer.ts';

export class ReferenceCallers implements Pick<Callers, 'read' | 'requestOf'> {
  readonly #windows = new Set<string>();

  /** Answers for this window are for a caller of the demo. */
  began(windowId: string): void {
    this.#windows.add(windowId);
  }

  requestOf(key: string): HttpRequest {
    return {
      method: 'POST',
      path: '/check',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ key }),
    };
  }

  read(answer: Pick<HttpAnswer, 'status' | 'body'>): Decision {
    const { allowed, windowId } = readCheck(answer);
    if (!this.#windows.has(windowId)) {
      throw new Error(`answered ${answer.status} for window ${windowId}, which the demo has not begun`);
    }
    return allowed ? 'Admitted' : 'Denied';
  }
}

/** Asks one node in the name of a caller, who waits for so long and no longer. Redirects are not followed. */
import { fairTimeout } from '../waiting.ts';
import type { BurstNode } from './burst-plan.ts';
import type { Failure } from './connection.ts';
import type { Dial } from './dial.ts';
import { HttpPool, RequestError } from './pool.ts';
import { encodeRequest, type HttpRequest } from './request.ts';
import { type AnswerMemory, DEFAULT_BOUNDS, type HttpAnswer } from './response-reader.ts';

/** What became of a request; moments in milliseconds since the epoch. */
export type Asked = { readonly sentAt: number; readonly endedAt: number } & (
  | { readonly answer: HttpAnswer; readonly failure?: undefined }
  | { readonly failure: Failure; readonly answer?: undefined }
);

export class NodeClient {
  readonly node: BurstNode;
  readonly #pool: HttpPool;
  readonly #now: () => number;

  /**
   * @param connections requests that may be under way at once
   * @param now milliseconds since the epoch; the fraction counts
   * @param dial default: plain TCP
   * @param memory for answers that come in parts; left out: as their bounds allow
   */
  constructor(node: BurstNode, connections: number, now: () => number, dial?: Dial, memory?: AnswerMemory) {
    this.node = node;
    this.#pool = new HttpPool(node, connections, dial, memory);
    this.#now = now;
  }

  /**
   * Sends one request, and gives it up after `timeoutMs`, the time to connect included, or when `signal` aborts.
   * @throws InvalidRequestError
   */
  async ask(request: HttpRequest, timeoutMs: number, signal: AbortSignal): Promise<Asked> {
    const bytes = encodeRequest(request, this.node);
    const timeout = fairTimeout(timeoutMs);
    const sentAt = this.#now();
    try {
      const stop = AbortSignal.any([signal, timeout.signal]);
      const answer = await this.#pool.request(
        { bytes, method: request.method, bounds: DEFAULT_BOUNDS },
        stop,
      );
      return { sentAt, endedAt: this.#now(), answer };
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      const late = timeout.signal.aborted && !signal.aborted;
      const failure: Failure = late
        ? { code: 'TIMEOUT', message: `it was not answered within ${timeoutMs} ms` }
        : error.failure;
      return { sentAt, endedAt: this.#now(), failure };
    } finally {
      timeout.end();
    }
  }

  /** Ends every connection at once. */
  close(): void {
    this.#pool.close();
  }
}

/** Sends requests to one pod for callers with a limited patience. Redirects are not followed. */
import { fairTimeout, untilAborted } from '@chaosdemo/redis-faults/waiting';
import type { AnswerMemory, HttpAnswer } from './answer.ts';
import type { BurstPod } from './burst-plan.ts';
import type { Dial } from './dial.ts';
import { type Failure, RequestError } from './failure.ts';
import { HttpPool } from './pool.ts';
import type { HttpRequest } from './request.ts';

/** The result of a request; moments in milliseconds since the epoch. */
export type RequestResult = { readonly sentAt: number; readonly endedAt: number } & (
  | { readonly answer: HttpAnswer; readonly failure?: undefined }
  | { readonly failure: Failure; readonly answer?: undefined }
);

/** Listens to a request after its caller has given up. */
export interface LateListener {
  /** Ends the listening, and the request with it. */
  readonly until: AbortSignal;
  /** Called once, unless the answer came in time: with the answer, or why there is none. */
  readonly onEnd: (result: RequestResult) => void;
}

export class PodClient {
  readonly pod: BurstPod;
  readonly #pool: HttpPool;
  readonly #now: () => number;

  /**
   * @param connections requests that may be in flight at once
   * @param now milliseconds since the epoch; the fraction counts
   * @param dial default: plain TCP
   * @param memory for answers that arrive in parts; left out: limited only by their bounds
   */
  constructor(pod: BurstPod, connections: number, now: () => number, dial?: Dial, memory?: AnswerMemory) {
    this.pod = pod;
    this.#pool = new HttpPool(pod, connections, dial, memory);
    this.#now = now;
  }

  /**
   * Sends one request, and gives it up after `timeoutMs`, including the time to connect, or when `signal` aborts. With
   * `late`, the request continues after that, and `late` gets its outcome.
   * @throws TypeError
   */
  async send(
    request: HttpRequest,
    timeoutMs: number,
    signal: AbortSignal,
    late?: LateListener,
  ): Promise<RequestResult> {
    const timeout = fairTimeout(timeoutMs);
    const sentAt = this.#now();
    const stop = AbortSignal.any([signal, late?.until ?? timeout.signal]);
    const exchange = this.#pool.request(request, stop).then<RequestResult, RequestResult>(
      (answer) => ({ sentAt, endedAt: this.#now(), answer }),
      (error: unknown) => {
        if (!(error instanceof RequestError)) throw error;
        return { sentAt, endedAt: this.#now(), failure: error.failure };
      },
    );
    const givenUp = (): RequestResult => ({
      sentAt,
      endedAt: this.#now(),
      failure: { code: 'TIMEOUT', message: `it was not answered within ${timeoutMs} ms` },
    });
    try {
      const first = late ? await Promise.race([exchange, untilAborted(timeout.signal)]) : await exchange;
      if (first === undefined) {
        // Only after the caller knows that it was given up.
        void exchange.then(
          (result) => setImmediate(() => late?.onEnd(result)),
          () => undefined,
        );
        return givenUp();
      }
      return first.failure && timeout.signal.aborted && !signal.aborted ? givenUp() : first;
    } finally {
      timeout.end();
    }
  }

  close(): void {
    this.#pool.close();
  }
}

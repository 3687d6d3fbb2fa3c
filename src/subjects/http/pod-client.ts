/** Sends requests to one pod for callers with a limited patience, over a few kept connections. */
import { fairTimeout, untilAborted } from '@chaosdemo/redis-faults/waiting';
import type { PodTarget } from '../targets/target.ts';
import type { AnswerMemory, HttpAnswer } from './answer.ts';
import { dialTcp, onceOpen } from './dial.ts';
import { type Failure, failureOf, RequestError } from './failure.ts';
import { PodConnection } from './pod-connection.ts';
import type { HttpRequest } from './request.ts';

/**
 * At most this many are kept. No budget counts idle connections, so they have to be few; traffic of 100 requests a
 * second to a pod, answered within 160 ms, needs no more.
 */
const MOST_KEPT = 16;

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
  readonly pod: PodTarget;
  readonly #now: () => number;
  readonly #dial: typeof dialTcp;
  readonly #connect: () => PodConnection;
  /** Idle; the one used last is last, so that those that are not needed time out. */
  readonly #kept: PodConnection[] = [];
  readonly #closed = new AbortController();

  /**
   * @param now milliseconds since the epoch; the fraction counts
   * @param memory for answers that arrive in parts; left out: limited only by their bounds
   */
  constructor(pod: PodTarget, now: () => number, dial = dialTcp, memory?: AnswerMemory) {
    this.pod = pod;
    this.#now = now;
    this.#dial = dial;
    this.#connect = () => new PodConnection(pod, dial, memory);
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
    const stop = AbortSignal.any([signal, this.#closed.signal, late?.until ?? timeout.signal]);
    const exchange = this.#exchange(request, stop).then<RequestResult, RequestResult>(
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

  /** Why the pod does not accept a connection in time; undefined: it does. @throws the reason of `signal` */
  async reach(timeoutMs: number, signal: AbortSignal): Promise<Failure | undefined> {
    const timeout = fairTimeout(timeoutMs);
    const late = { code: 'TIMEOUT', message: `it accepted no connection within ${timeoutMs} ms` } as const;
    const { promise, resolve } = Promise.withResolvers<Failure | undefined>();
    const socket = this.#dial(this.pod);
    socket.on('error', ({ code = '' }: NodeJS.ErrnoException) =>
      resolve(failureOf(code, 'connecting', this.pod.port)),
    );
    onceOpen(socket, () => resolve(undefined));
    try {
      const ended = untilAborted(AbortSignal.any([signal, this.#closed.signal, timeout.signal]));
      return await Promise.race([promise, ended.then(() => late)]);
    } finally {
      socket.destroy();
      timeout.end();
      signal.throwIfAborted();
    }
  }

  async #exchange(request: HttpRequest, stop: AbortSignal): Promise<HttpAnswer> {
    const connection = this.#kept.pop() ?? this.#connect();
    try {
      const answer = await connection.exchange(request, stop);
      if (this.#kept.length < MOST_KEPT && !stop.aborted) this.#kept.push(connection);
      else connection.end();
      return answer;
    } catch (error) {
      connection.end();
      throw error;
    }
  }

  /** Ends every connection at once, and the requests in flight. */
  close(): void {
    this.#closed.abort();
    for (const connection of this.#kept.splice(0)) connection.end();
  }
}

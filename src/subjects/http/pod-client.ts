/** Sends requests to one pod for callers with a limited patience, over a few kept connections. Follows no redirect. */

import { fairTimeout, untilAborted } from '@chaosdemo/redis-faults/waiting';
import type { Memory } from '../memory.ts';
import type { PodTarget } from '../targets/target.ts';
import type { HttpAnswer } from './answer.ts';
import { Connection, type Exchange } from './connection.ts';
import { dialTcp } from './dial.ts';
import type { Failure } from './failure.ts';
import { encodeRequest, type HttpRequest } from './request.ts';
import { ResponseReader } from './response-reader.ts';

/**
 * At most this many are kept. No budget counts idle connections, so they have to be few; traffic of 100 requests a
 * second to a pod, answered within 160 ms, needs no more.
 */
const MOST_KEPT = 16;
/** Idle connections are closed after this long, in milliseconds: many servers close them after 5 s. */
const KEPT_MS = 4000;
/** Idle connections are closed this long before the server's announced timeout. */
const MARGIN_MS = 1000;

/** The result of a request; moments in milliseconds since the epoch. */
export type RequestResult<T = HttpAnswer> = {
  readonly sentAt: number;
  readonly endedAt: number;
} & Exchange<T>;

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
  readonly #memory: Memory | undefined;
  /** Idle, with what closes them; the one used last is last. */
  readonly #kept = new Map<Connection, NodeJS.Timeout>();
  readonly #closed = new AbortController();

  /**
   * @param now milliseconds since the epoch; the fraction counts
   * @param memory for answers that arrive in parts; left out: limited only by their bounds
   */
  constructor(pod: PodTarget, now: () => number, dial = dialTcp, memory?: Memory) {
    this.pod = pod;
    this.#now = now;
    this.#dial = dial;
    this.#memory = memory;
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
    const exchange = this.#exchange(request, stop).then(
      (outcome): RequestResult => ({ sentAt, endedAt: this.#now(), ...outcome }),
    );
    const givenUp = (): RequestResult => ({
      sentAt,
      endedAt: this.#now(),
      failure: { code: 'TIMEOUT', message: `it got no response within ${timeoutMs} ms` },
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
    const connection = new Connection(this.pod, this.#dial);
    const stop = AbortSignal.any([signal, this.#closed.signal, timeout.signal]);
    void untilAborted(stop).then(() =>
      connection.fail('TIMEOUT', `it accepted no connection within ${timeoutMs} ms`),
    );
    try {
      return await connection.opened;
    } finally {
      timeout.end();
      this.#end(connection);
      signal.throwIfAborted();
    }
  }

  async #exchange(request: HttpRequest, stop: AbortSignal): Promise<Exchange> {
    const bytes = encodeRequest(request, this.pod);
    if (stop.aborted) return { failure: { code: 'STOPPED', message: 'it was called off' } };
    const { promise, resolve } = Promise.withResolvers<Exchange>();
    const kept = [...this.#kept.keys()].findLast(({ idle }) => idle);
    if (kept) this.#forget(kept);
    const connection = kept ?? new Connection(this.pod, this.#dial);
    connection.expect(new ResponseReader(request.method, this.#memory), resolve);
    void connection.opened.then(() => connection.write(bytes));
    const onStop = (): void => connection.fail('STOPPED', 'it was called off');
    stop.addEventListener('abort', onStop, { once: true });
    const outcome = await promise.finally(() => stop.removeEventListener('abort', onStop));
    const idleMs = outcome.answer && !stop.aborted ? keptMs(outcome.answer) : 0;
    if (idleMs > 0 && this.#kept.size < MOST_KEPT) {
      this.#kept.set(
        connection,
        setTimeout(() => this.#end(connection), idleMs),
      );
    } else this.#end(connection);
    return outcome;
  }

  #forget(connection: Connection): void {
    clearTimeout(this.#kept.get(connection));
    this.#kept.delete(connection);
  }

  #end(connection: Connection): void {
    this.#forget(connection);
    connection.fail('STOPPED', 'it is not needed any more');
  }

  /** Ends every connection at once, and the requests in flight. */
  close(): void {
    this.#closed.abort();
    for (const connection of this.#kept.keys()) this.#end(connection);
  }
}

/** How long a connection may stay idle after this answer; 0 or less: it may not. */
function keptMs({ closes = false, headers = {} }: HttpAnswer): number {
  const [, seconds] = /\btimeout=(\d{1,9})/i.exec(String(headers['keep-alive'])) ?? [];
  const announcedMs = seconds === undefined ? KEPT_MS : Number(seconds) * 1000 - MARGIN_MS;
  return closes ? 0 : Math.min(KEPT_MS, announcedMs);
}

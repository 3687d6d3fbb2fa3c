/**
 * Requests between two threads over a port. Each has one result, can be aborted, and may report on its way; what
 * crosses is cloned, so it is plain data. Messages arrive in order.
 */
import { messageOf } from '../../api/index.ts';
import { ForbiddenError } from '../../subjects/cluster.ts';

/** What the handler of a request gets next to its arguments. */
export interface Incoming {
  readonly signal: AbortSignal;
  /** Sends something to the caller before the result. */
  readonly report: (value: unknown) => void;
}

/** The requests that one side handles, by name. */
export type Methods = Record<string, (...args: never[]) => unknown>;

export type Handlers<M> = {
  readonly [K in keyof M]: M[K] extends (...args: infer A) => infer R
    ? (incoming: Incoming, ...args: A) => Promise<R>
    : never;
};

type Message =
  | {
      readonly kind: 'request';
      readonly id: number;
      readonly method: string;
      readonly args: readonly unknown[];
    }
  | { readonly kind: 'abort'; readonly id: number; readonly why: string }
  | { readonly kind: 'report' | 'result'; readonly id: number; readonly value: unknown }
  | { readonly kind: 'failure'; readonly id: number; readonly error: SentError };

interface SentError {
  readonly name: string;
  readonly message: string;
  readonly stack: string | undefined;
}

/** A port, or the thread behind one. */
interface Port {
  postMessage(message: unknown): void;
  on(event: 'message', listener: (message: Message) => void): unknown;
}

type AnyHandlers = Record<string, (incoming: Incoming, ...args: unknown[]) => Promise<unknown>>;

interface Pending {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
  readonly report: (value: never) => void;
}

/** One end of a port. `M`: the requests that the other end handles. */
export class Peer<M extends Methods> {
  readonly #port: Port;
  readonly #handlers: AnyHandlers;
  readonly #pending = new Map<number, Pending>();
  /** Requests of the other end that are in progress. */
  readonly #handling = new Map<number, AbortController>();
  #last = 0;
  #ended: Error | undefined;

  constructor(port: Port, handlers: object) {
    this.#port = port;
    this.#handlers = handlers as unknown as AnyHandlers;
    port.on('message', (message: Message) => this.#receive(message));
  }

  /**
   * Sends a request to the other end, and waits for its result, even after an abort: the other end may have to undo
   * its work first.
   * @param report gets reports that come before the result
   * @throws what the handler threw, by name and message; the reason once this end has ended
   */
  async request<K extends keyof M & string>(
    method: K,
    args: Parameters<M[K]>,
    signal?: AbortSignal,
    report: (value: never) => void = () => undefined,
  ): Promise<Awaited<ReturnType<M[K]>>> {
    signal?.throwIfAborted();
    if (this.#ended) throw this.#ended;
    this.#last += 1;
    const id = this.#last;
    const { promise, reject, resolve } = Promise.withResolvers<unknown>();
    const onAbort = (): void => this.#send({ kind: 'abort', id, why: messageOf(signal?.reason) });
    this.#pending.set(id, { resolve, reject, report });
    signal?.addEventListener('abort', onAbort, { once: true });
    try {
      this.#send({ kind: 'request', id, method, args });
      return (await promise) as Awaited<ReturnType<M[K]>>;
    } finally {
      this.#pending.delete(id);
      signal?.removeEventListener('abort', onAbort);
    }
  }

  /** The other end is gone: every request ends with this error, and those of the other end are aborted. */
  end(error: Error): void {
    this.#ended = error;
    for (const { reject } of this.#pending.values()) reject(error);
    for (const stop of this.#handling.values()) stop.abort(error);
  }

  #receive(message: Message): void {
    const { id } = message;
    switch (message.kind) {
      case 'request':
        void this.#handle(message);
        break;
      case 'abort':
        this.#handling.get(id)?.abort(new Error(message.why));
        break;
      case 'report':
        this.#pending.get(id)?.report(message.value as never);
        break;
      case 'result':
        this.#pending.get(id)?.resolve(message.value);
        break;
      case 'failure':
        this.#pending.get(id)?.reject(received(message.error));
        break;
      default:
        message satisfies never;
    }
  }

  async #handle({ args, id, method }: Extract<Message, { kind: 'request' }>): Promise<void> {
    const stop = new AbortController();
    this.#handling.set(id, stop);
    const report = (value: unknown): void => this.#send({ kind: 'report', id, value });
    try {
      const value = await this.#handlers[method]?.({ signal: stop.signal, report }, ...args);
      this.#send({ kind: 'result', id, value });
    } catch (error) {
      this.#send({ kind: 'failure', id, error: sent(error) });
    } finally {
      this.#handling.delete(id);
    }
  }

  #send(message: Message): void {
    if (!this.#ended) this.#port.postMessage(message);
  }
}

function sent(thrown: unknown): SentError {
  if (!(thrown instanceof Error)) return { name: 'Error', message: messageOf(thrown), stack: undefined };
  const { message, name, stack } = thrown;
  return { name, message, stack };
}

/** The same error at the other end: of its class if somebody there tells it apart. */
function received({ message, name, stack }: SentError): Error {
  const error = name === 'ForbiddenError' ? new ForbiddenError(message) : new Error(message);
  return Object.assign(error, { name, ...(stack !== undefined && { stack }) });
}

/**
 * Asks one node, with connections that are used again: for traffic that goes on, as
 * against a burst. Answers are read within bounds, redirects are not followed.
 */
import { fairTimeout } from '../waiting.ts';
import type { BurstNode } from './burst-plan.ts';
import { Connection, type Failure } from './connection.ts';
import { type Dial, dialTcp } from './dial.ts';
import { encodeRequest, type HttpRequest } from './request.ts';
import { type AnswerBounds, type HttpAnswer, ResponseReader } from './response-reader.ts';

/** What an answer of a rate limiter may take; they are small, and many may come at once. */
const BOUNDS: AnswerBounds = { headBytes: 8 * 1024, headers: 64, bodyBytes: 16 * 1024, informational: 2 };

/**
 * How long a connection may have been idle to be used again. Servers close idle ones after as little as 5 s, and a
 * request that meets the close is lost: nobody could tell whether the limiter counted it.
 */
const IDLE_MS = 2000;

export interface NodeClientOptions {
  /** Connections at once, at most; a request beyond them is not sent. */
  readonly connections: number;
  /** Milliseconds since the epoch; the fraction counts. */
  readonly now: () => number;
  /** Default: plain TCP. */
  readonly dial?: Dial;
}

/** What became of a request; moments by `now`. */
export type Asked = { readonly sentAt: number; readonly endedAt: number } & (
  | { readonly answer: HttpAnswer; readonly failure?: undefined }
  | { readonly failure: Failure; readonly answer?: undefined }
);

interface Idle {
  readonly connection: Connection;
  readonly since: number;
}

export class NodeClient {
  readonly node: BurstNode;
  readonly #options: NodeClientOptions;
  readonly #idle: Idle[] = [];
  readonly #all = new Set<Connection>();
  #closed = false;

  constructor(node: BurstNode, options: NodeClientOptions) {
    this.node = node;
    this.#options = options;
  }

  /**
   * Sends one request, and gives it up after `timeoutMs`, the time to connect included, or when `signal` aborts.
   * @throws InvalidRequestError
   */
  async ask(request: HttpRequest, timeoutMs: number, signal: AbortSignal): Promise<Asked> {
    const { now } = this.#options;
    const bytes = encodeRequest(request, this.node);
    const sentAt = now();
    const failed = (failure: Failure): Asked => ({ sentAt, endedAt: now(), failure });
    if (this.#closed || signal.aborted) return failed({ code: 'STOPPED', message: 'the client was closed' });
    const used = this.#takeIdle();
    if (!used && this.#all.size >= this.#options.connections) {
      const message = `${this.#options.connections} requests to it are open already`;
      return failed({ code: 'NO_CONNECTIONS', message });
    }
    const { promise, resolve } = Promise.withResolvers<Asked>();
    const connection = used ?? this.#open(() => connection.write(bytes));
    connection.expect(new ResponseReader(BOUNDS, request.method), (outcome) => {
      this.#done(connection);
      resolve({ sentAt, endedAt: now(), ...outcome });
    });
    if (used) used.write(bytes);
    const stop = (): void => connection.fail('STOPPED', 'the request was stopped');
    const timeout = fairTimeout(timeoutMs);
    const late = (): void => connection.fail('TIMEOUT', `it was not answered within ${timeoutMs} ms`);
    signal.addEventListener('abort', stop, { once: true });
    timeout.signal.addEventListener('abort', late, { once: true });
    try {
      return await promise;
    } finally {
      signal.removeEventListener('abort', stop);
      // Its end aborts it, and the connection may be in use again.
      timeout.signal.removeEventListener('abort', late);
      timeout.end();
    }
  }

  /** Ends every connection at once. */
  close(): void {
    this.#closed = true;
    for (const connection of this.#all) connection.fail('STOPPED', 'the client was closed');
    this.#all.clear();
  }

  #open(opened: () => void): Connection {
    const connection = new Connection(this.node, this.#options.dial ?? dialTcp, opened);
    this.#all.add(connection);
    return connection;
  }

  /** The one that was used last: the others may be closed by their server soon. */
  #takeIdle(): Connection | undefined {
    for (let last = this.#idle.pop(); last; last = this.#idle.pop()) {
      const { connection, since } = last;
      if (connection.idle && performance.now() - since <= IDLE_MS) return connection;
      this.#forget(connection);
    }
    return undefined;
  }

  #done(connection: Connection): void {
    if (connection.idle && !this.#closed) this.#idle.push({ connection, since: performance.now() });
    else this.#forget(connection);
  }

  #forget(connection: Connection): void {
    this.#all.delete(connection);
    connection.fail('STOPPED', 'the connection is not needed any more');
  }
}

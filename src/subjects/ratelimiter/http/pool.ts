/**
 * Connections to one address, each for one request at a time, of which a few are kept. What is read of an answer is bounded by
 * bytes and number, and a connection whose answer is not taken to its end is gone with it.
 */
import { Connection, type Failure } from './connection.ts';
import { type Address, type Dial, dialTcp } from './dial.ts';
import { readingTurn } from './reading-turn.ts';
import { type AnswerBounds, type AnswerMemory, type HttpAnswer, ResponseReader } from './response-reader.ts';

/** So long a connection that is not used is trusted to be there still, in milliseconds: many servers close after 5 s. */
const KEPT_MS = 4000;
/**
 * So many are kept at most. No budget counts a connection that carries no request, so they have to be few; and traffic of
 * 100 requests a second to a node, answered within 160 ms, needs no more.
 */
const MOST_KEPT = 16;
/** So long before the server says that it closes it, it is not used any more. */
const MARGIN_MS = 1000;

/** There is no answer that can be taken. */
export class RequestError extends Error {
  readonly failure: Failure;

  constructor(failure: Failure) {
    super(failure.message);
    this.name = 'RequestError';
    this.failure = failure;
  }
}

/** One request, encoded, and what its answer may take. */
export interface PooledRequest {
  readonly bytes: Uint8Array;
  readonly method: string;
  readonly bounds: AnswerBounds;
}

interface Kept {
  readonly connection: Connection;
  /** By the monotonic clock. */
  readonly until: number;
}

export class HttpPool {
  readonly #to: Address;
  readonly #dial: Dial;
  readonly #memory: AnswerMemory | undefined;
  /** The one used last stands last. */
  #kept: Kept[] = [];
  readonly #busy = new Set<Connection>();
  #slots: number;
  readonly #waiting = new Set<() => void>();
  #sweep: NodeJS.Timeout | undefined;
  #closed = false;

  /**
   * @param connections requests that may be under way at once; further ones wait for their turn
   * @param memory for answers that come in parts; left out: as their bounds allow
   */
  constructor(to: Address, connections: number, dial: Dial = dialTcp, memory?: AnswerMemory) {
    this.#to = to;
    this.#slots = connections;
    this.#dial = dial;
    this.#memory = memory;
  }

  /**
   * Sends a request once, and waits for its answer.
   * @throws RequestError; STOPPED once `signal` is aborted, or the pool closed. It keeps no time of its own
   */
  async request(request: PooledRequest, signal: AbortSignal): Promise<HttpAnswer> {
    await this.#turn(signal);
    try {
      const answer = await this.#exchange(request, signal);
      await readingTurn(answer.body);
      return answer;
    } finally {
      const [next] = this.#waiting;
      if (next) next();
      else this.#slots += 1;
    }
  }

  /** Ends every connection at once, and the requests that are under way. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#sweep);
    for (const next of this.#waiting) next();
    for (const connection of this.#busy) connection.fail('STOPPED', 'the connections are closed');
    this.#drop(() => true);
  }

  async #turn(signal: AbortSignal): Promise<void> {
    if (this.#slots > 0) {
      this.#slots -= 1;
      return;
    }
    await new Promise<void>((resolve, reject) => {
      const settle = (then: () => void): void => {
        signal.removeEventListener('abort', onAbort);
        this.#waiting.delete(next);
        then();
      };
      const next = (): void => settle(resolve);
      const onAbort = (): void =>
        settle(() => reject(new RequestError({ code: 'STOPPED', message: 'it was called off' })));
      this.#waiting.add(next);
      signal.addEventListener('abort', onAbort, { once: true });
      if (signal.aborted) onAbort();
    });
  }

  async #exchange({ bounds, bytes, method }: PooledRequest, signal: AbortSignal): Promise<HttpAnswer> {
    if (this.#closed || signal.aborted) {
      throw new RequestError({ code: 'STOPPED', message: 'the connections are closed' });
    }
    const kept = this.#idle();
    return await new Promise((resolve, reject) => {
      const connection = kept ?? new Connection(this.#to, this.#dial, () => connection.write(bytes));
      const onAbort = (): void => connection.fail('STOPPED', 'it was called off');
      this.#busy.add(connection);
      signal.addEventListener('abort', onAbort, { once: true });
      connection.expect(new ResponseReader(bounds, method, this.#memory), (outcome) => {
        this.#busy.delete(connection);
        signal.removeEventListener('abort', onAbort);
        if ('failure' in outcome) return reject(new RequestError(outcome.failure));
        this.#keep(connection, outcome.answer);
        return resolve(outcome.answer);
      });
      if (kept) connection.write(bytes);
    });
  }

  /** A kept connection that is still there. */
  #idle(): Connection | undefined {
    this.#dropUseless();
    return this.#kept.pop()?.connection;
  }

  #keep(connection: Connection, { headers, keepAlive }: HttpAnswer): void {
    const seconds = /(?:^|[,; \t])timeout=(\d{1,6})/.exec(headers.get('keep-alive') ?? '')?.[1];
    const ms = Math.min(KEPT_MS, seconds === undefined ? KEPT_MS : Number(seconds) * 1000 - MARGIN_MS);
    if (keepAlive && ms > 0 && !this.#closed && this.#kept.length < MOST_KEPT) {
      this.#kept.push({ connection, until: performance.now() + ms });
      this.#sweepLater();
    } else {
      connection.fail('STOPPED', 'it is not kept');
    }
  }

  /** Nobody may ask again for long, and what is kept takes memory, here and there. */
  #sweepLater(): void {
    this.#sweep ??= setTimeout(() => {
      this.#sweep = undefined;
      this.#dropUseless();
      if (this.#kept.length > 0) this.#sweepLater();
    }, KEPT_MS).unref();
  }

  #dropUseless(): void {
    const now = performance.now();
    this.#drop(({ connection, until }) => !connection.idle || until <= now);
  }

  #drop(which: (kept: Kept) => boolean): void {
    this.#kept = this.#kept.filter((kept) => {
      const dropped = which(kept);
      if (dropped) kept.connection.fail('STOPPED', 'it was not used for long');
      return !dropped;
    });
  }
}

/**
 * A connection to one pod by undici, for one request at a time. Redirects are not followed. If an answer exceeds a bound,
 * is late, or is cancelled, the connection is closed.
 */
import type { IncomingHttpHeaders } from 'node:http';
import type { Socket } from 'node:net';
import { Client, type Dispatcher } from 'undici';
import {
  AnswerHold,
  type AnswerMemory,
  BODY_BYTES,
  BODY_TOO_LARGE,
  HEAD_BYTES,
  HEAD_TOO_LARGE,
  type HttpAnswer,
  MOST_HEADERS,
  MOST_INFORMATIONAL,
  TOO_MANY_HEADERS,
  TOO_MANY_INFORMATIONAL,
} from './answer.ts';
import { type Address, type Dial, onceOpen } from './dial.ts';
import { badAnswer, failureOf, RequestError } from './failure.ts';
import { fieldsOf, type HttpRequest } from './request.ts';

/** Idle connections are closed after this long, in milliseconds: many servers close them after 5 s. */
const KEPT_MS = 4000;
/** Idle connections are closed this long before the server's announced timeout. */
const MARGIN_MS = 1000;
/** A body in chunks of one byte takes six times its bytes. */
const FRAMING = 6;

/** Opened on demand, and again if it was lost since the last request. */
export class PodConnection {
  readonly #to: Address;
  readonly #memory: AnswerMemory | undefined;
  readonly #client: Client;
  #isOpen = false;
  /** Code of the first error of the connection, because undici keeps only the last; empty if there was none. */
  #lostBy = '';
  /**
   * Bytes of the answer that may still be read: undici bounds neither what comes before it nor the framing of chunks.
   */
  #left = 0;

  /** @param memory for answers that arrive in parts; undefined: limited only by their bounds */
  constructor(to: Address, dial: Dial, memory: AnswerMemory | undefined) {
    this.#to = to;
    this.#memory = memory;
    // `dial` decides where to connect and which CA to trust.
    this.#client = new Client('http://pod', {
      connect: (_, done) => {
        this.#isOpen = false;
        this.#lostBy = '';
        const socket: Socket = dial(to, (bytes) => {
          this.#left -= bytes.length;
          if (this.#left < 0)
            socket.destroy(badAnswer('the answer has far more bytes than its head and body may'));
          else socket.push(Buffer.from(bytes));
        });
        socket.on('error', (error: NodeJS.ErrnoException) => {
          if (this.#lostBy !== '') return;
          this.#lostBy = error.code ?? 'no reason given';
          if (!this.#isOpen) done(error, null);
        });
        onceOpen(socket, () => {
          this.#isOpen = true;
          done(null, socket);
        });
        // undici closes it if its request is cancelled.
        return socket;
      },
      maxHeaderSize: HEAD_BYTES,
      keepAliveTimeout: KEPT_MS,
      keepAliveMaxTimeout: KEPT_MS,
      keepAliveTimeoutThreshold: MARGIN_MS,
      headersTimeout: 0,
      bodyTimeout: 0,
    });
  }

  /** @throws TypeError; RequestError: STOPPED once `stop` is aborted. It is of no use then */
  async exchange(request: HttpRequest, stop: AbortSignal): Promise<HttpAnswer> {
    const { body, method, path } = request;
    const headers = fieldsOf(request, this.#to);
    const { promise, reject, resolve } = Promise.withResolvers<HttpAnswer>();
    const hold = new AnswerHold(this.#memory);
    const reader = new AnswerReader(method, hold);
    let controller: Dispatcher.DispatchController | undefined;
    const fail = (error: Error): void => {
      reject(error);
      controller?.abort(error);
      void this.#client.destroy(error);
    };
    const onStop = (): void => fail(stopped());
    if (stop.aborted) throw stopped();
    hold.begin();
    this.#left = HEAD_BYTES * (1 + MOST_INFORMATIONAL) + FRAMING * BODY_BYTES;
    const take = (read: () => void): void => {
      try {
        read();
      } catch (error) {
        fail(error as Error);
      }
    };
    stop.addEventListener('abort', onStop, { once: true });
    this.#client.dispatch(
      { method, path, headers, body: body ?? null },
      {
        onRequestStart: (started) => {
          controller = started;
        },
        onResponseStart: (_, status, fields) => take(() => reader.start(status, fields)),
        onResponseData: (_, chunk) => take(() => reader.add(chunk)),
        onResponseEnd: () => resolve(reader.answer),
        onResponseError: (_, error) => fail(this.#explain(error)),
      },
    );
    try {
      return await promise;
    } finally {
      stop.removeEventListener('abort', onStop);
      hold.release();
    }
  }

  end(): void {
    void this.#client.destroy();
  }

  #explain(error: NodeJS.ErrnoException): Error {
    if (error instanceof RequestError) return error;
    const { code = '', message, name } = error;
    if (code === 'UND_ERR_HEADERS_OVERFLOW') return badAnswer(HEAD_TOO_LARGE);
    if (message === 'bad response' || message === 'bad upgrade') {
      return badAnswer('the server answers with 100 or 101, or more than once');
    }
    const isParsers = name === 'HTTPParserError';
    if (isParsers && code !== 'HPE_INVALID_EOF_STATE') return badAnswer('the answer is not HTTP/1.1');
    const lostBy = isParsers || code.startsWith('UND_ERR_') ? this.#lostBy : code || 'no reason given';
    const isUndicis = lostBy.startsWith('UND_ERR_');
    return new RequestError(
      failureOf(isUndicis ? '' : lostBy, this.#isOpen ? 'sent' : 'connecting', this.#to.port),
    );
  }
}

/** What undici has read of an answer so far. Its methods throw RequestError over a bound. */
class AnswerReader {
  readonly #method: string;
  readonly #hold: AnswerHold;
  #informational = 0;
  #expected = 0;
  #status = 0;
  #headers: IncomingHttpHeaders = {};
  #body: Buffer = Buffer.alloc(0);

  constructor(method: string, hold: AnswerHold) {
    this.#method = method;
    this.#hold = hold;
  }

  get answer(): HttpAnswer {
    return { status: this.#status, headers: this.#headers, body: this.#body };
  }

  start(status: number, fields: IncomingHttpHeaders): void {
    if (status < 200) {
      this.#informational += 1;
      if (this.#informational > MOST_INFORMATIONAL) throw badAnswer(TOO_MANY_INFORMATIONAL);
      return;
    }
    this.#status = status;
    this.#headers = fields;
    if (Object.values(fields).flat().length > MOST_HEADERS) throw badAnswer(TOO_MANY_HEADERS);
    this.#expected = Number(fields['content-length'] ?? 0);
    if (this.#method !== 'HEAD' && this.#expected > BODY_BYTES) throw badAnswer(BODY_TOO_LARGE);
  }

  add(chunk: Buffer): void {
    const length = this.#body.length + chunk.length;
    if (length > BODY_BYTES) throw badAnswer(BODY_TOO_LARGE);
    // An answer that arrives in one piece is released before anything else happens.
    if (chunk.length !== this.#expected) this.#hold.grow(length);
    // A copy: undici reads the next bytes into the same memory.
    this.#body = Buffer.concat([this.#body, chunk]);
  }
}

function stopped(): RequestError {
  return new RequestError({ code: 'STOPPED', message: 'it was called off' });
}

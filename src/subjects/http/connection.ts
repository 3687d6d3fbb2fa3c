/** One connection to a pod: it carries one request at a time, encoded before. */
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { HttpAnswer } from './answer.ts';
import type { Address, Dial } from './dial.ts';
import { badAnswer, type Failure, type FailureCode, failureOf, RequestError } from './failure.ts';
import type { ResponseReader } from './response-reader.ts';

/** The outcome of one request. `T`: what is kept of an answer. */
export type Exchange<T = HttpAnswer> =
  | { readonly answer: T; readonly failure?: undefined }
  | { readonly failure: Failure; readonly answer?: undefined };

const NOTHING = new Uint8Array(0);

export class Connection {
  /** Resolves once a request may be written, or to why none can be. */
  readonly opened: Promise<Failure | undefined>;
  readonly #onOpened: (failure?: Failure) => void;
  readonly #socket: Socket;
  readonly #port: number;
  #open = false;
  #usable = true;
  #errorCode = '';
  /** Set from `expect` to the outcome. */
  #expected: { readonly reader: ResponseReader; readonly settle: (outcome: Exchange) => void } | undefined;
  #written = false;

  /** Starts to connect; `expect` may be called at once, and `write` after `opened` has resolved. */
  constructor(to: Address, dial: Dial) {
    const { promise, resolve } = Promise.withResolvers<Failure | undefined>();
    this.opened = promise;
    this.#onOpened = resolve;
    this.#port = to.port;
    this.#socket = dial(to, (bytes) => this.#onBytes(bytes));
    // With TLS, after the certificate was verified.
    this.#socket.once(this.#socket instanceof TLSSocket ? 'secureConnect' : 'connect', () => {
      this.#open = true;
      resolve(undefined);
    });
    this.#socket.once('error', ({ code }: NodeJS.ErrnoException) => {
      this.#errorCode = code ?? 'no reason given';
    });
    this.#socket.once('close', () => this.#onClosed());
  }

  /** Whether it is open, no request is in flight, and none has failed. */
  get idle(): boolean {
    return this.#open && this.#usable && !(this.#expected && this.#written);
  }

  /** Prepares for one request: `settle` is called once, with its answer or why there is none. */
  expect(reader: ResponseReader, settle: (outcome: Exchange) => void): void {
    this.#expected = { reader, settle };
    this.#written = false;
    if (!this.#usable) this.fail('NOT_SENT', 'the connection was lost before the request was sent');
  }

  /** Writes the request that `expect` prepared for; does nothing if that has already failed. */
  write(bytes: Uint8Array): void {
    if (!this.#expected) return;
    this.#written = true;
    this.#socket.write(bytes);
  }

  /** Runs the code of `write` as far as possible without sending anything, so that the next write is faster. */
  rehearse(): void {
    // With TLS an empty write ends a turn later, and would delay the next one.
    if (this.#expected && !(this.#socket instanceof TLSSocket)) this.#socket.write(NOTHING);
  }

  /** Ends the connection, and a request that is in flight. */
  fail(code: FailureCode, message: string): void {
    this.#usable = false;
    this.#socket.destroy();
    this.#onOpened({ code, message });
    this.#finish({ failure: { code, message } });
  }

  #finish(outcome: Exchange): void {
    const expected = this.#expected;
    this.#expected = undefined;
    expected?.reader.close();
    expected?.settle(outcome);
  }

  #onBytes(bytes: Uint8Array): void {
    if (!this.#usable) return;
    if (this.#expected && this.#written) this.#take((reader) => reader.push(bytes));
    else this.fail('NOT_SENT', 'the pod sent something without a request');
  }

  #onClosed(): void {
    const stage = !this.#open ? 'connecting' : this.#written ? 'sent' : 'connected';
    if (stage === 'sent' && this.#errorCode === '' && this.#usable) this.#take((reader) => reader.end());
    const { code, message } = failureOf(this.#errorCode, stage, this.#port);
    this.fail(code, message);
  }

  #take(read: (reader: ResponseReader) => HttpAnswer | undefined): void {
    if (!this.#expected) return;
    try {
      const answer = read(this.#expected.reader);
      if (!answer) return;
      this.#finish({ answer });
    } catch (error) {
      const { failure } = error instanceof RequestError ? error : badAnswer('it could not be read');
      this.fail(failure.code, failure.message);
      if (!(error instanceof RequestError)) throw error;
    }
  }
}

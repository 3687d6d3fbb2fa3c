/** One connection that carries at most one request at a time. */
import { withAdvice } from '../words.ts';
import { AnswerError } from './answer-error.ts';
import type { Address, Dial, Wire } from './dial.ts';
import type { HttpAnswer, ResponseReader } from './response-reader.ts';
import { adviceOnTls } from './tls-errors.ts';

/**
 * UNREACHABLE: no connection came about. NO_CONNECTIONS: this machine or process has none left.
 * RESET: the connection ended before the answer was there, on whichever side. TIMEOUT: no answer in time.
 * BAD_ANSWER: the answer is not HTTP, exceeds a bound, or is not what was asked for.
 * NO_ROOM: this process gave the answer up, since runs hold all the memory for answers; the node did nothing wrong.
 * NOT_SENT: the connection ended before the request was written. STOPPED: by whoever owns it.
 */
export type FailureCode =
  | 'UNREACHABLE'
  | 'NO_CONNECTIONS'
  | 'RESET'
  | 'TIMEOUT'
  | 'BAD_ANSWER'
  | 'NO_ROOM'
  | 'NOT_SENT'
  | 'STOPPED';

/** Why there is no answer; the message is made of our own words and codes of the system alone. */
export interface Failure {
  readonly code: FailureCode;
  readonly message: string;
}

export type Settle = (outcome: { readonly answer: HttpAnswer } | { readonly failure: Failure }) => void;

/** Errors of the system that say that this side has run out of something. */
const OUT_OF: ReadonlyMap<string, string> = new Map([
  ['EMFILE', 'this process may open no more files: raise its limit (ulimit -n)'],
  ['ENFILE', 'this machine may open no more files'],
  ['EADDRNOTAVAIL', 'this machine has no free port left for the address'],
  ['ENOBUFS', 'this machine has no memory left for connections'],
]);

export class Connection {
  readonly #wire: Wire;
  readonly #port: number;
  #opened: (() => void) | undefined;
  #open = false;
  #usable = true;
  /** Set from `expect` to the outcome. */
  #settle: Settle | undefined;
  #reader: ResponseReader | undefined;
  #written = false;

  /** Begins to connect; `expect` may be called at once, and `write` once `opened` was called. */
  constructor(to: Address, dial: Dial, opened: () => void) {
    this.#opened = opened;
    this.#port = to.port;
    this.#wire = dial(to, {
      opened: () => this.#onOpen(),
      bytes: (bytes) => this.#onBytes(bytes),
      closed: (error) => this.#onClosed(error),
    });
  }

  /** Whether it is open, no request is under way, and none has gone wrong. */
  get idle(): boolean {
    return this.#open && this.#usable && !(this.#settle && this.#written);
  }

  /** Bytes of the request that the kernel has not taken yet. */
  get unsent(): number {
    return this.#wire.unsent();
  }

  /** Gets everything ready for one request: `settle` is called once, with its answer or why there is none. */
  expect(reader: ResponseReader, settle: Settle): void {
    this.#reader = reader;
    this.#settle = settle;
    this.#written = false;
    if (!this.#usable) this.fail('NOT_SENT', 'the connection was lost before the request was sent');
  }

  /** Writes the request that an answer is expected to; nothing when that has failed already. */
  write(bytes: Uint8Array): void {
    if (!this.#settle) return;
    this.#written = true;
    this.#wire.write(bytes);
  }

  /** Makes the next `write` quicker, and sends nothing; nothing when the request has failed already. */
  rehearse(): void {
    if (this.#settle) this.#wire.rehearse();
  }

  /** Ends the connection, and the request that may be under way. */
  fail(code: FailureCode, message: string): void {
    this.#opened = undefined;
    this.#usable = false;
    this.#wire.destroy();
    this.#finish({ failure: { code, message } });
  }

  #finish(outcome: Parameters<Settle>[0]): void {
    const settle = this.#settle;
    this.#settle = undefined;
    this.#reader?.close();
    this.#reader = undefined;
    settle?.(outcome);
  }

  #onOpen(): void {
    this.#open = true;
    const opened = this.#opened;
    this.#opened = undefined;
    opened?.();
  }

  #onBytes(bytes: Uint8Array): void {
    if (!this.#usable) return;
    if (!this.#reader || !this.#written) {
      this.fail('NOT_SENT', 'the node sent something that was not asked for');
      return;
    }
    this.#take((reader) => reader.push(bytes));
  }

  #onClosed(error: NodeJS.ErrnoException | undefined): void {
    this.#usable = false;
    if (!this.#settle || !this.#reader) return;
    const code = error?.code ?? '';
    const ended = error
      ? withAdvice(`the connection was lost: ${code || 'no reason given'}`, adviceOnTls(code))
      : 'the connection was closed';
    const without = OUT_OF.get(code);
    if (without) this.fail('NO_CONNECTIONS', without);
    else if (!this.#open)
      this.fail(
        'UNREACHABLE',
        withAdvice(`no connection could be made: ${code || 'it was closed'}`, this.#adviceOn(code)),
      );
    else if (!this.#written) this.fail('NOT_SENT', `${ended} before the request was sent`);
    else if (error) this.fail('RESET', ended);
    else this.#take((reader) => reader.end());
  }

  #adviceOn(code: string): string | undefined {
    if (code !== 'ECONNREFUSED') return adviceOnTls(code);
    return `nothing listens on port ${this.#port}: correct subject.rateLimiter.port, or start what should listen there`;
  }

  #take(read: (reader: ResponseReader) => HttpAnswer | undefined): void {
    try {
      const answer = read(this.#reader as ResponseReader);
      if (!answer) return;
      if (!answer.keepAlive) this.#usable = false;
      this.#finish({ answer });
    } catch (error) {
      if (!(error instanceof AnswerError)) throw error;
      if (error.code === 'NO_ROOM') this.fail('NO_ROOM', error.message);
      // Nobody knows what a broken off answer would have said; it was no wrong one.
      else if (error.code === 'CLOSED_EARLY') this.fail('RESET', `${error.message} (${error.code})`);
      else this.fail('BAD_ANSWER', `${error.message} (${error.code})`);
    }
  }
}

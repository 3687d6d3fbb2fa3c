/**
 * Stands between a socket and a client of Redis that trusts what it reads. The client sees whole replies only, each
 * within bounds and each asked for. At the first byte that breaks this, and when an answer is late, the socket is
 * destroyed and the stream errs; nothing of what broke it goes through.
 *
 * Every command has to be answered by exactly one reply: no subscriptions, no MONITOR, no CLIENT REPLY.
 */
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import { fairTimeout } from '../waiting.ts';
import { type RespBounds, RespError, RespScanner } from './resp-scanner.ts';

/** Why a connection was given up. */
export type RedisWireErrorCode = 'CONNECT_TIMEOUT' | 'REPLY_TIMEOUT' | 'PROTOCOL' | 'UNASKED' | 'REFUSED';

/** The server broke the protocol or was late; the connection is gone. */
export class RedisWireError extends Error {
  readonly code: RedisWireErrorCode;

  /** Whether the message says what to do, too. */
  get advises(): boolean {
    return this.code !== 'CONNECT_TIMEOUT' && this.code !== 'REFUSED';
  }

  constructor(code: RedisWireErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'RedisWireError';
    this.code = code;
  }
}

/** What is waited for and taken at most. Durations in milliseconds. */
export interface GuardOptions {
  /** For one reply. */
  readonly bounds: RespBounds;
  /** Until the connection stands, TLS included. */
  readonly connectTimeout: number;
  /** From sending a command to the end of its reply; no bound where left out. */
  readonly replyTimeout?: number | undefined;
}

/** Our own commands are far smaller; this bounds only mistakes. */
const COMMAND_BOUNDS: RespBounds = {
  bulkBytes: 1024 * 1024,
  frameBytes: 1024 * 1024,
  elements: 4096,
  depth: 1,
  lineBytes: 0,
};

/** Of a refusal that is repeated. */
const REFUSAL_CHARACTERS = 300;

const NOTHING = Buffer.alloc(0);

/**
 * The guard of one socket that is about to connect. Offers, besides the stream, what ioredis uses of a socket. It
 * owns the socket: it is destroyed with it.
 */
export class GuardedSocket extends Duplex {
  readonly #socket: Socket | TLSSocket;
  readonly #replyTimeout: number;
  readonly #incoming: RespScanner;
  readonly #outgoing = new RespScanner(COMMAND_BOUNDS);
  /** For each unanswered command, oldest first, when its answer is due. */
  readonly #due: number[] = [];
  #cancelConnect: () => void;
  #cancelReply: () => void = () => undefined;
  /** The first `#restBytes` of it are a reply that is not complete. */
  #rest = NOTHING;
  #restBytes = 0;

  /** @param connected the event by which the socket tells that the connection stands */
  constructor(
    socket: Socket | TLSSocket,
    connected: 'connect' | 'secureConnect',
    { bounds, connectTimeout, replyTimeout = Number.POSITIVE_INFINITY }: GuardOptions,
  ) {
    super();
    this.#socket = socket;
    this.#replyTimeout = replyTimeout;
    this.#incoming = new RespScanner(bounds);
    this.#cancelConnect = after(connectTimeout, () => {
      const message = `the server took no connection within ${connectTimeout} ms`;
      this.destroy(new RedisWireError('CONNECT_TIMEOUT', message));
    });
    socket.once(connected, () => {
      this.#cancelConnect();
      this.emit(connected);
    });
    socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    socket.on('timeout', () => this.emit('timeout'));
    socket.on('error', (error) => this.destroy(error));
    // Nothing is sent to a server that has stopped sending, and its half-open socket is not waited for.
    socket.on('end', () => this.destroy());
    socket.on('close', () => this.destroy());
  }

  get connecting(): boolean {
    return this.#socket.connecting;
  }

  get remoteAddress(): string | undefined {
    return this.#socket.remoteAddress;
  }

  get remotePort(): number | undefined {
    return this.#socket.remotePort;
  }

  get localAddress(): string | undefined {
    return this.#socket.localAddress;
  }

  get localPort(): number | undefined {
    return this.#socket.localPort;
  }

  setNoDelay(noDelay?: boolean): this {
    this.#socket.setNoDelay(noDelay);
    return this;
  }

  setKeepAlive(enable?: boolean, initialDelay?: number): this {
    this.#socket.setKeepAlive(enable, initialDelay);
    return this;
  }

  setTimeout(timeout: number, callback?: () => void): this {
    this.#socket.setTimeout(timeout, callback);
    return this;
  }

  override _read(): void {
    this.#socket.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: (error?: Error | null) => void): void {
    try {
      const due = performance.now() + this.#replyTimeout;
      const wasIdle = this.#due.length === 0;
      for (let commands = this.#outgoing.scan(chunk); commands > 0; commands -= 1) this.#due.push(due);
      if (wasIdle) this.#awaitReply();
    } catch (error) {
      callback(error instanceof Error ? error : new Error(String(error)));
      return;
    }
    this.#socket.write(chunk, callback);
  }

  override _final(callback: (error?: Error | null) => void): void {
    this.#socket.end(() => callback());
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#cancelConnect();
    this.#cancelReply();
    this.#rest = NOTHING;
    this.#socket.destroy();
    callback(error);
  }

  #receive(chunk: Buffer): void {
    if (this.destroyed) return;
    let replies: number;
    try {
      replies = this.#incoming.scan(chunk);
    } catch (error) {
      this.destroy(outOfBounds(error));
      return;
    }
    const asked = this.#due.length;
    if (replies > asked || (replies === asked && this.#incoming.inFrame)) {
      this.destroy(asked === 0 ? unasked(chunk) : outOfBounds('more replies than it was asked for'));
      return;
    }
    this.#due.splice(0, replies);
    if (replies > 0) this.#awaitReply();
    this.#passOn(chunk, this.#incoming.end);
  }

  /** Gives the reader everything up to `end`, where a reply ends, and keeps the rest until its reply is complete. */
  #passOn(chunk: Buffer, end: number): void {
    let whole = chunk.subarray(0, end);
    if (end > 0 && this.#restBytes > 0) {
      whole = Buffer.concat([this.#rest.subarray(0, this.#restBytes), whole]);
      this.#rest = NOTHING;
      this.#restBytes = 0;
    }
    this.#keep(chunk.subarray(end));
    if (whole.length > 0 && !this.push(whole)) this.#socket.pause();
  }

  /** Copies, so that a reply in a thousand small chunks takes no more room than it has bytes. */
  #keep(bytes: Buffer): void {
    const length = this.#restBytes + bytes.length;
    if (length > this.#rest.length) {
      const grown = Buffer.allocUnsafe(Math.max(length, 2 * this.#rest.length));
      this.#rest.copy(grown, 0, 0, this.#restBytes);
      this.#rest = grown;
    }
    bytes.copy(this.#rest, this.#restBytes);
    this.#restBytes = length;
  }

  #awaitReply(): void {
    this.#cancelReply();
    const [due] = this.#due;
    if (due === undefined || due === Number.POSITIVE_INFINITY) return;
    this.#cancelReply = after(due - performance.now(), () => {
      const message = `no complete answer came within ${this.#replyTimeout} ms, so the connection was ended: see whether it runs, and is neither overloaded nor paused`;
      this.destroy(new RedisWireError('REPLY_TIMEOUT', message));
    });
  }
}

function outOfBounds(cause: unknown): RedisWireError {
  const sent = cause instanceof RespError ? cause.message : String(cause);
  return new RedisWireError(
    'PROTOCOL',
    `the server is not speaking the Redis protocol within bounds: it sent ${sent}; see that a Redis and nothing else listens there, and whether it expects TLS`,
    { cause },
  );
}

/** A server that takes no clients says so unasked, in an error, and hangs up: that is worth repeating. */
function unasked(chunk: Buffer): RedisWireError {
  const line = /^-([^\r]+)\r\n$/.exec(chunk.toString('latin1'))?.[1];
  if (line === undefined) {
    const message =
      'the server is not speaking the Redis protocol within bounds: it sent a reply that nobody asked for; see that a Redis and nothing else listens there';
    return new RedisWireError('UNASKED', message);
  }
  const said = line.replace(/[^ -~]/g, '?').slice(0, REFUSAL_CHARACTERS);
  return new RedisWireError('REFUSED', said);
}

/** Calls `act` once `ms` have passed, not counting what this process took to read what had arrived; returns the way to cancel it. */
function after(ms: number, act: () => void): () => void {
  const timeout = fairTimeout(Math.max(0, ms));
  timeout.signal.addEventListener('abort', act, { once: true });
  return () => {
    timeout.signal.removeEventListener('abort', act);
    timeout.end();
  };
}

/**
 * A connection of ioredis to an untrusted server: replies reach ioredis through a gate, and any failure rejects the
 * commands in flight with its cause.
 */
import { connect as connectPlain, type Socket } from 'node:net';
import {
  type ConnectionOptions,
  connect as connectSecure,
  createSecureContext,
  type SecureContext,
} from 'node:tls';
import { AbstractConnector, Redis, type RedisOptions, ReplyError } from 'ioredis';
import { TIMED_OUT, within } from '../waiting.ts';
import { RedisWireError } from './redis-error.ts';
import type { RedisTarget } from './redis-target.ts';
import { ReplyGate } from './reply-gate.ts';

/** Enough for INFO, which is a few KiB, and for anything else but CLIENT LIST. */
const REPLY_BYTES = 256 * 1024;

/** Enough for CLIENT LIST of some 3,200 clients: 200 pods of a rate limiter with 16 connections each. */
const CLIENT_LIST_BYTES = 1024 * 1024;

/** Timeouts and bounds of a connection. Durations in milliseconds. */
export interface ConnectionLimits {
  /** Until the connection is established, including TLS and the login. */
  readonly connectTimeout: number;
  /** From sending a command to the end of its answer; left out: no timeout. A late answer ends the connection. */
  readonly commandTimeout?: number | undefined;
}

/**
 * A connection that is not opened yet. It queues nothing, sends nothing twice, and once lost it stays lost. `connect()`
 * and every command reject with the error that Redis answered, or else with what ended the connection: a
 * RedisWireError, or the error of the socket. Errors hold no arguments of commands, and no password that the server
 * repeated. A listener to its event `error` is not needed.
 */
export function boundedConnection(target: RedisTarget, limits: ConnectionLimits): Redis {
  return new BoundedRedis(target, limits);
}

/** Opens the stream for ioredis. */
function connectorTo(target: RedisTarget, gate: ReplyGate): NonNullable<RedisOptions['Connector']> {
  return class GatedConnector extends AbstractConnector {
    constructor() {
      super(0);
    }

    override async connect(): ReturnType<AbstractConnector['connect']> {
      const socket = dial(target, gate);
      this.stream = socket;
      socket.on('error', (error) => {
        this.firstError ??= error;
      });
      // Nothing is sent to a server that has stopped sending, and its half-open socket is closed at once.
      socket.once('end', () => socket.destroy());
      return socket;
    }

    /** At once: a server must not decide when the socket closes, and further data is of no interest. */
    override disconnect(): void {
      this.stream?.destroy();
    }
  };
}

/**
 * Parsing certificates takes milliseconds, and their memory is outside of the heap, where no garbage collection sees it.
 * So all connections with the same authorities share a context, and the least recently used ones are dropped.
 */
const MOST_CONTEXTS = 16;
const contexts = new Map<string, SecureContext>();

function contextOf(ca: string): SecureContext {
  const context = contexts.get(ca) ?? createSecureContext({ ca });
  contexts.delete(ca);
  contexts.set(ca, context);
  const [oldest = ca] = contexts.keys();
  if (contexts.size > MOST_CONTEXTS) contexts.delete(oldest);
  return context;
}

/** How to verify the certificate of a server; undefined: it is connected to without TLS. */
export function tlsOf(target: RedisTarget): ConnectionOptions | undefined {
  const { ca, servername, tls } = target;
  if (!tls) return undefined;
  return {
    ...(ca !== undefined && { secureContext: contextOf(ca) }),
    ...(servername === undefined ? {} : { servername }),
  };
}

/** A read is handled before the next one, on one thread, so all connections share this memory. */
const memory = Buffer.allocUnsafeSlow(64 * 1024);

function dial(target: RedisTarget, gate: ReplyGate): Socket {
  const { host, port } = target;
  const tls = tlsOf(target);
  const onread = {
    buffer: memory,
    callback: (length: number): boolean => {
      try {
        const replies = gate.take(memory.subarray(0, length));
        if (replies.length > 0) socket.push(replies);
        return true;
      } catch (error) {
        socket.destroy(error as RedisWireError);
        return false;
      }
    },
  };
  const to = { host, port, onread };
  const socket: Socket = tls ? connectSecure({ ...to, ...tls }) : connectPlain(to);
  return socket;
}

function isClientList({ args: [subcommand], name }: Parameters<Redis['sendCommand']>[0]): boolean {
  return `${name} ${String(subcommand)}`.toUpperCase() === 'CLIENT LIST';
}

function lateReply(ms: number): RedisWireError {
  const message = `no complete reply came within ${ms} ms, so the connection was ended: check that it runs and is not overloaded or paused`;
  return new RedisWireError('REPLY_TIMEOUT', message);
}

/**
 * ioredis reports why a connection ended only by an event, and rejects with "Connection is closed."; this combines
 * both.
 */
class BoundedRedis extends Redis {
  readonly #password: string | undefined;
  readonly #limits: ConnectionLimits;
  readonly #gate: ReplyGate;
  #cause: Error | undefined;

  constructor(target: RedisTarget, limits: ConnectionLimits) {
    const { username, password, tls } = target;
    const gate = new ReplyGate();
    super({
      Connector: connectorTo(target, gate),
      // Only selects the event that ioredis waits for; the connector dials.
      ...(tls ? { tls: {} } : {}),
      ...(username === undefined ? {} : { username }),
      ...(password === undefined ? {} : { password }),
      lazyConnect: true,
      protocol: 2,
      // The operator's rights include neither CLIENT SETINFO nor CLIENT SETNAME.
      disableClientInfo: true,
      enableReadyCheck: false,
      enableOfflineQueue: false,
      autoResendUnfulfilledCommands: false,
      maxRetriesPerRequest: 0,
      retryStrategy: () => null,
      // Those of ioredis restart with each byte, or leave the socket open: this class enforces both.
      connectTimeout: 0,
    });
    this.#password = password;
    this.#limits = limits;
    this.#gate = gate;
    // Without a listener ioredis would write to the console.
    this.on('error', (error: Error) => {
      this.#cause ??= this.#tellable(error);
    });
  }

  override async connect(): Promise<void> {
    this.#cause = undefined;
    await this.#inTime(super.connect(), this.#limits.connectTimeout, (ms) => {
      // It does not reply to a login.
      if (this.status !== 'connecting') return lateReply(ms);
      return new RedisWireError('CONNECT_TIMEOUT', `the server accepted no connection within ${ms} ms`);
    });
  }

  override sendCommand(...args: Parameters<Redis['sendCommand']>): unknown {
    const before = this.commandQueue.length;
    const reply = super.sendCommand(...args);
    if (this.commandQueue.length > before)
      this.#gate.expect(isClientList(args[0]) ? CLIENT_LIST_BYTES : REPLY_BYTES);
    return this.#inTime(Promise.resolve(reply), this.#limits.commandTimeout, lateReply);
  }

  /** A late answer ends the connection: those behind it would be late as well. */
  async #inTime<T>(
    answered: Promise<T>,
    ms: number | undefined,
    late: (ms: number) => RedisWireError,
  ): Promise<T> {
    try {
      if (ms === undefined) return await answered;
      const answer = await within(answered, ms);
      if (answer !== TIMED_OUT) return answer;
    } catch (error) {
      throw this.#explain(error);
    }
    this.#cause ??= late(ms);
    this.disconnect();
    // Rejected once the connection has ended: until then it appears open.
    await answered.catch(() => undefined);
    throw this.#cause;
  }

  #explain(error: unknown): unknown {
    if (error instanceof ReplyError) return this.#tellable(error as Error);
    return this.#cause ?? error;
  }

  /** ioredis attaches the command to the error, AUTH with its password included; and Redis may repeat that. */
  #tellable<T extends Error>(error: T): T {
    Reflect.deleteProperty(error, 'command');
    const { message } = error;
    if (!this.#password || !message.includes(this.#password)) return error;
    error.message = message.replaceAll(this.#password, '***');
    // Both hold the original message.
    error.stack = `${error.name}: ${error.message}`;
    Reflect.deleteProperty(error, 'cause');
    return error;
  }
}

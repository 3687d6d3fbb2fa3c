/**
 * A connection of ioredis to a server that may be anything: what it sends reaches ioredis through a guard, and
 * whatever goes wrong rejects the commands under way with its cause.
 */
import { connect as connectPlain, type Socket } from 'node:net';
import { connect as connectSecure, createSecureContext, type SecureContext } from 'node:tls';
import { AbstractConnector, Redis, type RedisOptions, ReplyError } from 'ioredis';
import { GuardedSocket, type GuardOptions } from './guarded-socket.ts';
import { withoutSecrets } from './redacted.ts';
import type { RedisTarget } from './redis-target.ts';
import type { RespBounds } from './resp-scanner.ts';

/** Enough for INFO, which is a few KiB, and for anything else but CLIENT LIST. */
export const REPLY_BYTES = 256 * 1024;

/** Enough for CLIENT LIST of some 3,200 clients: 200 pods of a rate limiter with 16 connections each. */
export const CLIENT_LIST_BYTES = 1024 * 1024;

/** HGETALL of 256 counters. */
const REPLY_ELEMENTS = 512;

/** What EVAL may nest. */
const REPLY_DEPTH = 4;

/** The longest line that Redis has tells in 1 KiB why it takes no connections. */
const REPLY_LINE_BYTES = 4096;

/** What a connection waits for and takes. Durations in milliseconds. */
export interface ConnectionLimits {
  /** Until it stands, TLS included. */
  readonly connectTimeout: number;
  /** From sending a command to the end of its answer; none where left out. An answer that is late ends the connection. */
  readonly commandTimeout?: number | undefined;
  /** Bytes of one reply; {@link REPLY_BYTES} where left out. */
  readonly replyBytes?: number;
}

/**
 * A connection that is not made yet. It queues nothing, sends nothing twice, and once it is lost it stays lost.
 *
 * `connect()` and every command reject with what Redis said, or else with what ended the connection: a
 * RedisWireError, or the error of the socket. Errors hold no arguments of commands, and no password that the server
 * repeated. Whether anybody listens to its
 * event `error` does not matter.
 */
export function boundedConnection(target: RedisTarget, limits: ConnectionLimits): Redis {
  return new BoundedRedis(target, limits);
}

/** How ioredis gets its stream. */
function connectorTo(target: RedisTarget, limits: ConnectionLimits): NonNullable<RedisOptions['Connector']> {
  return class GuardedConnector extends AbstractConnector {
    constructor() {
      super(0);
    }

    override async connect(): ReturnType<AbstractConnector['connect']> {
      const stream = dial(target, limits);
      stream.on('error', (error) => {
        this.firstError ??= error;
      });
      // Of what a socket has over a stream, ioredis uses what GuardedSocket offers.
      this.stream = stream as unknown as Socket;
      return this.stream;
    }

    /** At once: what a server still sends is of no interest, and it does not decide when the socket closes. */
    override disconnect(): void {
      this.stream?.destroy();
    }
  };
}

/** To read hundreds of certificates takes tenths of a second, which nobody else is served meanwhile: once for each target. */
const trusting = new WeakMap<RedisTarget, SecureContext>();

function trustOf(target: RedisTarget): { secureContext?: SecureContext } {
  if (target.ca === undefined) return {};
  const secureContext = trusting.get(target) ?? createSecureContext({ ca: target.ca });
  trusting.set(target, secureContext);
  return { secureContext };
}

function dial(
  target: RedisTarget,
  { connectTimeout, commandTimeout, replyBytes = REPLY_BYTES }: ConnectionLimits,
): GuardedSocket {
  const { host, port, servername, tls } = target;
  const bounds: RespBounds = {
    bulkBytes: replyBytes,
    frameBytes: replyBytes,
    elements: REPLY_ELEMENTS,
    depth: REPLY_DEPTH,
    lineBytes: REPLY_LINE_BYTES,
  };
  const options: GuardOptions = { bounds, connectTimeout, replyTimeout: commandTimeout };
  if (!tls) return new GuardedSocket(connectPlain({ host, port }), 'connect', options);
  const socket = connectSecure({
    host,
    port,
    ...trustOf(target),
    ...(servername === undefined ? {} : { servername }),
  });
  return new GuardedSocket(socket, 'secureConnect', options);
}

/** ioredis tells why a connection ended by an event alone, and rejects with "Connection is closed."; this puts both together. */
class BoundedRedis extends Redis {
  readonly #secrets: readonly (string | undefined)[];
  #cause: Error | undefined;

  constructor(target: RedisTarget, limits: ConnectionLimits) {
    const { username, password, tls } = target;
    super({
      Connector: connectorTo(target, limits),
      // Only names what ioredis waits for; the connector dials.
      ...(tls ? { tls: {} } : {}),
      ...(username === undefined ? {} : { username }),
      ...(password === undefined ? {} : { password }),
      lazyConnect: true,
      protocol: 2,
      // The rights of the operator hold neither CLIENT SETINFO nor CLIENT SETNAME.
      disableClientInfo: true,
      enableReadyCheck: false,
      enableOfflineQueue: false,
      autoResendUnfulfilledCommands: false,
      maxRetriesPerRequest: 0,
      retryStrategy: () => null,
      // The guard keeps both times: that of ioredis starts anew with each byte, and its other leaves the socket open.
      connectTimeout: 0,
    });
    this.#secrets = [password];
    // Without a listener ioredis would write to the console.
    this.on('error', (error: Error) => {
      this.#cause ??= this.#tellable(error);
    });
  }

  override async connect(): Promise<void> {
    this.#cause = undefined;
    try {
      await super.connect();
    } catch (error) {
      throw this.#explain(error);
    }
  }

  override sendCommand(...args: Parameters<Redis['sendCommand']>): unknown {
    return Promise.resolve(super.sendCommand(...args)).catch((error: unknown) => {
      throw this.#explain(error);
    });
  }

  #explain(error: unknown): unknown {
    if (error instanceof ReplyError) return this.#tellable(error as Error);
    return this.#cause ?? error;
  }

  /** ioredis hangs the whole command on what Redis answered, AUTH with its password included; and Redis may repeat that. */
  #tellable<T extends Error>(error: T): T {
    Reflect.deleteProperty(error, 'command');
    const told = withoutSecrets(error.message, this.#secrets);
    if (told === error.message) return error;
    error.message = told;
    // Both hold the message as it was.
    error.stack = `${error.name}: ${told}`;
    Reflect.deleteProperty(error, 'cause');
    return error;
  }
}

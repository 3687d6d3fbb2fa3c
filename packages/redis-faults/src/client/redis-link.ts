/**
 * Connections to the one Redis that a session was admitted to. An address outlives its pod, and a server its own restart:
 * a later server at the address may belong to another user. So the pod is verified before a password is sent there, and
 * the run_id before anything is written.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { messageOf } from '../text.ts';
import { oneAtATime, TIMED_OUT, within } from '../waiting.ts';
import { explain, RedisClientError } from './redis-error.ts';
import { parseInfo } from './redis-info.ts';
import { type RedisTarget, redisName } from './redis-target.ts';
import { asText } from './reply-types.ts';

/** How long connecting, or the answer to anything but a probe write, may take; in milliseconds. */
export const REDIS_TIMEOUT_MS = 5000;

/** The identity of a session's Redis. */
export interface ServerIdentity {
  /**
   * As admitted; undefined if nothing was admitted and only a fault is released: then the first server that answers is
   * used.
   */
  readonly runId: string | undefined;
  /**
   * Whether the pod that was found still has the address, according to the API server.
   * @throws if there is no answer
   */
  readonly podIsThere: (signal: AbortSignal) => Promise<boolean>;
}

/**
 * What a connection is for. A pause may only go to the very server that was admitted; a probe also to one that was
 * restarted in its pod.
 */
export type Use = 'pause' | 'probe';

/** How long the API server may take to report the pod at the address, and the interval between two requests. */
const ASK_MS = 3000;
const QUERY_EVERY_MS = 500;
/** How long an open connection may take to show that it still works. */
const ALIVE_MS = 250;

export class PinnedServer {
  readonly #target: RedisTarget;
  readonly #identity: ServerIdentity | undefined;
  #runId: string | undefined;
  /** Connections that are opened at the same time share a request; its answer is not reused. */
  readonly #podIsThere = oneAtATime(() => this.#query());
  /** By the monotonic clock. */
  #queriedAt = -Infinity;

  /** @param identity left out: any server at the address is accepted */
  constructor(target: RedisTarget, identity: ServerIdentity | undefined) {
    this.#target = target;
    this.#identity = identity;
    this.#runId = identity?.runId;
  }

  /**
   * Call before a connection is opened. A password is sent as soon as it is open, so the pod has to be the same: shown
   * by a connection of this session that still answers, or else by the API server. With TLS the certificate shows it,
   * and without a password there is nothing to protect.
   * @param standing a connection to the right server, if there is one
   * @throws RedisClientError
   */
  async beforeDial(standing: Redis | undefined): Promise<void> {
    const { password, podName, tls } = this.#target;
    if (!this.#identity || password === undefined || tls) return;
    // A connection does not survive a change of the pod behind its address.
    const pong = standing && (await within(standing.ping(), ALIVE_MS).catch(() => TIMED_OUT));
    if (pong === 'PONG') return;
    const isThere = await this.#podIsThere().catch((error: unknown) => {
      const message = `${this.#name}: could not check whether ${podName} still has this address, so no password was sent there: ${messageOf(error)}`;
      throw new RedisClientError(message);
    });
    if (isThere) return;
    const message = `${this.#name}: ${podName} was deleted or replaced since it was admitted, so nothing was sent to its address: run again`;
    throw new RedisClientError(message, undefined, true);
  }

  /** Call once it is open, before anything else is sent. @throws RedisClientError, or the error of the request */
  async afterLogin(redis: Redis, use: Use): Promise<void> {
    if (!this.#identity) return;
    const info = await within(redis.info('server'), REDIS_TIMEOUT_MS);
    if (info === TIMED_OUT) throw new Error(`INFO got no reply within ${REDIS_TIMEOUT_MS} ms`);
    const { runId } = parseInfo(asText('INFO', info));
    this.#runId ??= runId;
    if (runId === this.#runId) return;
    if (use === 'probe' && (await this.#podIsThere().catch(() => false))) return;
    const message = `${this.#name}: another server replies than the one that was admitted (it was restarted, or another is in its place), so nothing was written to it: run again`;
    throw new RedisClientError(message, undefined, true);
  }

  get #name(): string {
    return `Redis ${redisName(this.#target)}`;
  }

  async #query(): Promise<boolean> {
    await sleep(Math.max(0, this.#queriedAt + QUERY_EVERY_MS - performance.now()));
    this.#queriedAt = performance.now();
    return (await this.#identity?.podIsThere(AbortSignal.timeout(ASK_MS))) ?? true;
  }
}

interface LinkOptions {
  readonly target: RedisTarget;
  readonly server: PinnedServer;
  readonly use: Use;
  readonly commandTimeout: number | undefined;
  /** An open connection of the same session. */
  readonly standing: () => Redis | undefined;
}

/** One connection, opened on demand, and again if it was lost; each time to the server that was admitted. */
export class Link {
  readonly #options: LinkOptions;
  /** Verified: the server is the right one. */
  #redis: Redis | undefined;
  #dialled: Redis | undefined;
  readonly #connectOnce = oneAtATime(() => this.#connect());
  #closed = false;

  constructor(options: LinkOptions) {
    this.#options = options;
  }

  /** The connection, if it is open. */
  get standing(): Redis | undefined {
    return this.#redis?.status === 'ready' ? this.#redis : undefined;
  }

  /** @throws RedisClientError if there is no connection within the timeout, or it is not to the right server */
  async get(): Promise<Redis> {
    if (this.#closed) throw new RedisClientError('the connections to Redis are closed');
    return this.standing ?? (await this.#connectOnce());
  }

  close(): void {
    this.#closed = true;
    this.#dialled?.disconnect();
  }

  async #connect(): Promise<Redis> {
    const { commandTimeout, server, standing, target, use } = this.#options;
    this.#dialled?.disconnect();
    this.#redis = undefined;
    try {
      await server.beforeDial(standing());
      // With the first connection: a thread that opens none does without the Redis client.
      const { boundedConnection } = await import('./bounded-connection.ts');
      if (this.#closed) throw new RedisClientError('the connections to Redis are closed');
      const redis = boundedConnection(target, { connectTimeout: REDIS_TIMEOUT_MS, commandTimeout });
      this.#dialled = redis;
      await redis.connect();
      await server.afterLogin(redis, use);
      if (this.#closed) redis.disconnect();
      this.#redis = redis;
      return redis;
    } catch (error) {
      this.#dialled?.disconnect();
      throw explain(target, 'connecting', error);
    }
  }
}

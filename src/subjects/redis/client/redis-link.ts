/** One connection to the Redis behind the rate limiter. A lost connection stays lost until the next use. */
import type { Redis } from 'ioredis';
import { TIMED_OUT, within } from '../../waiting.ts';
import { boundedConnection } from './bounded-connection.ts';
import type { PinnedServer, Use } from './pinned-server.ts';
import { explain, RedisClientError } from './redis-error.ts';
import { type RedisTarget, redisName } from './redis-target.ts';

/** How long connecting, or the answer to anything but a probe write, may take; in milliseconds. */
export const REDIS_TIMEOUT_MS = 5000;

interface LinkOptions {
  readonly target: RedisTarget;
  readonly server: PinnedServer;
  readonly use: Use;
  readonly commandTimeout?: number;
  /** An open connection of the same session. */
  readonly standing: () => Redis | undefined;
}

/** One connection, opened on demand, and again if it was lost; each time to the server that was admitted. */
export class Link {
  readonly #options: LinkOptions;
  /** Verified: the server is the right one. */
  #redis: Redis | undefined;
  #dialled: Redis | undefined;
  #connecting: Promise<Redis> | undefined;
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
    const { standing } = this;
    if (standing) return standing;
    this.#connecting ??= this.#connect().finally(() => {
      this.#connecting = undefined;
    });
    return await this.#connecting;
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
      if (this.#closed) throw new RedisClientError('the connections to Redis are closed');
      const limits = { connectTimeout: REDIS_TIMEOUT_MS, commandTimeout };
      const redis = boundedConnection(target, limits);
      this.#dialled = redis;
      if ((await within(redis.connect(), REDIS_TIMEOUT_MS)) === TIMED_OUT) {
        throw new RedisClientError(
          `Redis ${redisName(target)} did not take a connection within ${REDIS_TIMEOUT_MS} ms: see whether it runs and whether a NetworkPolicy lets the operator reach it`,
        );
      }
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

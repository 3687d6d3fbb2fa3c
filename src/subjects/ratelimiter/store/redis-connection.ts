/** How a connection to the Redis behind a rate limiter is made: it asks for nothing that the operator's rights lack. */
import { Redis } from 'ioredis';
import type { RedisTarget } from './redis-target.ts';

/** Milliseconds. */
export interface RedisTimeouts {
  readonly connectTimeout: number;
  /** For the answer to each command; none where left out. */
  readonly commandTimeout?: number | undefined;
}

/**
 * A connection that is not made yet. It queues nothing, sends nothing twice, and once it is lost it stays lost.
 * What goes wrong with it is told by its event `error`.
 */
export function redisConnection(target: RedisTarget, timeouts: RedisTimeouts): Redis {
  const { host, port, servername, username, password, ca, tls } = target;
  const { connectTimeout, commandTimeout } = timeouts;
  return new Redis({
    host,
    port,
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(tls ? { tls: { ...(ca === undefined ? {} : { ca }), ...(servername ? { servername } : {}) } } : {}),
    lazyConnect: true,
    protocol: 2,
    // The rights of the operator hold neither CLIENT SETINFO nor CLIENT SETNAME.
    disableClientInfo: true,
    enableReadyCheck: false,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
    connectTimeout,
    ...(commandTimeout === undefined ? {} : { commandTimeout }),
  });
}

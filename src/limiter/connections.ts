/**
 * The three connections of a node to Redis. Redis answers a connection's commands in order, so one write
 * that is held back holds back everything behind it: writes, reads and the health ping each have their own.
 *
 * None of them queues while it is not connected, and none repeats a command that a lost connection cut off:
 * the callers know whether a repetition is safe and when it comes too late. Each reconnects for ever.
 */
import { readFileSync } from 'node:fs';
import { createConnection, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { AbstractConnector, type RedisOptions as AnyRedisOptions, Redis } from 'ioredis';
import type { RedisTarget } from './config.ts';

/** The replies of this module's connections keep their classic form. */
type RedisOptions = Omit<AnyRedisOptions, 'replyMapping'>;

/** A connection for reads that stays silent this long is taken to be dead and made anew. */
const SILENT_SOCKET_MS = 10_000;

export interface RedisConnections {
  /** Writes. Commands wait for their answer without a limit: CLIENT PAUSE may hold them for a minute. */
  readonly writer: Redis;
  /** Definitions, counts of others, Redis's clock. */
  readonly reader: Redis;
  /** PING only. */
  readonly health: Redis;
  /** Resolves once each has been connected. */
  connected(): Promise<void>;
  /** Drops all three at once; commands under way are rejected. */
  close(): void;
}

/**
 * Makes the connections and returns at once; they connect on their own.
 * @param onError hears every connection error, with the name of the connection
 * @throws when the CA file cannot be read
 */
export function openConnections(
  target: RedisTarget,
  nodeId: string,
  onError: (connection: string, error: Error) => void,
): RedisConnections {
  const ca = target.tlsCaFile === undefined ? undefined : readFileSync(target.tlsCaFile, 'utf8');
  const open = (name: string, options: RedisOptions): Redis => {
    const all: RedisOptions = {
      ...(target.username === undefined ? {} : { username: target.username }),
      ...(target.password === undefined ? {} : { password: target.password }),
      Connector: connectorTo(target, ca),
      // Names take no spaces and no control characters; a node id has neither.
      connectionName: `ratelimiter:${name}:${nodeId}`,
      enableOfflineQueue: false,
      autoResendUnfulfilledCommands: false,
      // 0: the first loss of the connection rejects what was under way, instead of keeping it for later.
      maxRetriesPerRequest: 0,
      retryStrategy: (attempt) => Math.min(50 * attempt, 500) + Math.floor(Math.random() * 50),
      connectTimeout: 5_000,
      // CLIENT SETINFO is newer than the oldest Redis this works with, and one right less to grant.
      disableClientInfo: true,
      keepAlive: 5_000,
      ...options,
    };
    const redis = new Redis(all);
    redis.on('error', (error: Error) => onError(name, error));
    return redis;
  };

  const reading: RedisOptions = { socketTimeout: SILENT_SOCKET_MS };
  const connections = {
    writer: open('writer', {}),
    reader: open('reader', reading),
    health: open('health', reading),
  };
  const connected = Promise.all(
    Object.values(connections).map(
      async (redis) => await new Promise<void>((resolve) => redis.once('ready', () => resolve())),
    ),
  );
  return {
    ...connections,
    connected: async () => {
      await connected;
    },
    close: () => {
      for (const redis of Object.values(connections)) redis.disconnect();
    },
  };
}

/** ioredis's own connector knows no source address; this one is it, with `localAddress`. */
function connectorTo(
  target: RedisTarget,
  ca: string | undefined,
): new (
  options: unknown,
) => AbstractConnector {
  const { host, port, sourceAddress } = target;
  const route = {
    host,
    port,
    ...(sourceAddress === undefined ? {} : { localAddress: sourceAddress, family: isIP(sourceAddress) }),
  };
  return class extends AbstractConnector {
    constructor() {
      super(1_000);
    }

    override async connect(): Promise<Socket> {
      this.connecting = true;
      const socket = target.tls
        ? connectTls({
            ...route,
            ...(ca === undefined ? {} : { ca }),
            ...(isIP(host) === 0 ? { servername: host } : {}),
          })
        : createConnection(route);
      this.stream = socket;
      socket.once('error', (error) => {
        this.firstError = error;
      });
      return socket;
    }
  };
}

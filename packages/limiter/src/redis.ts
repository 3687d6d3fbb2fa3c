/** The connections of a node to Redis. */
import { readFileSync } from 'node:fs';
import { createConnection, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { AbstractConnector, type RedisOptions as AnyRedisOptions, Redis } from 'ioredis';
import type { LimiterConfig } from './config.ts';

/** The replies of these connections keep their classic form. */
type RedisOptions = Omit<AnyRedisOptions, 'replyMapping'>;

/**
 * A connection that is silent for this long while a command waits counts as dead, and is replaced: TCP notices a vanished
 * peer only after many minutes. Repeating a write is harmless: counts are absolute, and checks carry a deadline.
 */
const SILENT_READER_MS = 10_000;
/** CLIENT PAUSE may delay writes for a minute. */
const SILENT_WRITER_MS = 70_000;

/**
 * Redis answers the commands of a connection in sequence, so a write delayed by CLIENT PAUSE also delays everything
 * after it. Reads have a separate connection for that reason.
 */
export type RedisConnections = ReturnType<typeof openConnections>;

/**
 * Returns both at once; they connect in the background, and reconnect forever. Neither queues commands while it is not
 * connected, nor repeats those interrupted by a lost connection: the caller knows whether a repetition is safe.
 * @param onError receives every connection error
 * @throws if the CA file cannot be read
 */
export function openConnections(config: LimiterConfig, onError: (error: Error) => void) {
  const { nodeId, redisPassword, redisUsername } = config;
  const Connector = connectorTo(config);
  const open = (name: string, socketTimeout: number): Redis => {
    const all: RedisOptions = {
      ...(redisUsername === undefined ? {} : { username: redisUsername }),
      ...(redisPassword === undefined ? {} : { password: redisPassword }),
      Connector,
      // Names take no spaces and no control characters; a node id has neither.
      connectionName: `ratelimiter:${name}:${nodeId}`,
      enableOfflineQueue: false,
      autoResendUnfulfilledCommands: false,
      // 0: the first loss of the connection rejects commands in progress, instead of keeping them for later.
      maxRetriesPerRequest: 0,
      retryStrategy: (attempt) => Math.min(50 * attempt, 500) + Math.floor(Math.random() * 50),
      connectTimeout: 5_000,
      // CLIENT SETINFO is newer than the oldest supported Redis, and needs one more right.
      disableClientInfo: true,
      keepAlive: 5_000,
      socketTimeout,
    };
    return new Redis(all).on('error', onError);
  };
  return { writer: open('writer', SILENT_WRITER_MS), reader: open('reader', SILENT_READER_MS) };
}

/** The connector of ioredis has no option for a source address; this one sets `localAddress`. */
function connectorTo(config: LimiterConfig): new (options: unknown) => AbstractConnector {
  const { podIp, redisHost: host, redisPort: port, redisTls, redisTlsCaFile } = config;
  const ca = redisTlsCaFile === undefined ? {} : { ca: readFileSync(redisTlsCaFile, 'utf8') };
  const source = podIp === undefined ? {} : { localAddress: podIp, family: isIP(podIp) };
  const route = { host, port, ...source };
  return class extends AbstractConnector {
    constructor() {
      super(1_000);
    }

    override async connect(): Promise<Socket> {
      this.connecting = true;
      const name = isIP(host) === 0 ? { servername: host } : {};
      const socket = redisTls ? connectTls({ ...route, ...ca, ...name }) : createConnection(route);
      this.stream = socket;
      socket.once('error', (error) => {
        this.firstError = error;
      });
      return socket;
    }
  };
}

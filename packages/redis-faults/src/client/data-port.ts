/** Probes the port by which clients reach Redis through a fault proxy. It needs no right in Redis. */
import type { Redis } from 'ioredis';
import { TIMED_OUT, within } from '../waiting.ts';
import type { RedisTarget } from './redis-target.ts';

/** How long connecting or a reply may take; milliseconds. */
const WITHIN_MS = 500;

/** The port, and how to verify the certificate behind it. No login is sent. */
export type DataPort = Pick<RedisTarget, 'host' | 'port' | 'tls' | 'ca' | 'servername'>;

/** Refused: no server listens. Silent: no connection came about in time, or another error. */
export type PortState = 'Accepted' | 'Refused' | 'Silent';

/** Connects once, and closes the connection. */
export async function portState(host: string, port: number): Promise<PortState> {
  const connection = await connectionTo({ host, port, tls: false });
  const state = await connection.connect().then(
    () => 'Accepted' as const,
    ({ code }: NodeJS.ErrnoException) => (code === 'ECONNREFUSED' ? 'Refused' : 'Silent'),
  );
  connection.disconnect();
  return state;
}

/** Stale: replied to as by a former primary. Answered: by Redis. Closed: no reply came, and the connection has ended. */
export type ConnectionState = 'Stale' | 'Answered' | 'Closed';

/** One open connection, over which commands are sent one after the other. */
export class DataConnection {
  readonly #redis: Redis;

  private constructor(redis: Redis) {
    this.#redis = redis;
  }

  /** @returns undefined if there is no connection in time */
  static async open(port: DataPort): Promise<DataConnection | undefined> {
    const redis = await connectionTo(port);
    return await redis.connect().then(
      () => new DataConnection(redis),
      () => undefined,
    );
  }

  /** Sends a command that touches no key, and waits for its reply, however late it comes. An error is a reply. */
  async ask(): Promise<ConnectionState> {
    return await this.#redis.echo('chaosdemo').then(
      () => 'Answered',
      async (error: Error) => {
        const { ReplyError } = await import('ioredis');
        if (!(error instanceof ReplyError)) return 'Closed';
        return error.message.startsWith('READONLY') ? 'Stale' : 'Answered';
      },
    );
  }

  /** The same, and ends the connection if no reply comes in time. */
  async state(): Promise<ConnectionState> {
    const state = await within(this.ask(), WITHIN_MS);
    if (state !== TIMED_OUT) return state;
    this.close();
    return 'Closed';
  }

  close(): void {
    this.#redis.disconnect();
  }
}

async function connectionTo(port: DataPort): Promise<Redis> {
  const { boundedConnection } = await import('./bounded-connection.ts');
  return boundedConnection({ ...port, podName: '' }, { connectTimeout: WITHIN_MS });
}

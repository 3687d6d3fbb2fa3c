/** A minimal connection to Redis: lines out, lines in. It uses no code of the operator. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { RedisUser } from '../../../src/local/redis-users.ts';

export interface RawRedisTarget {
  readonly host: string;
  readonly port: number;
  readonly user: RedisUser;
  /** Where it comes from, so that it counts as one of the limiters there; default: as the operator. */
  readonly localAddress?: string;
}

/** A connection that is logged in. */
export class RawRedis {
  readonly socket: Socket;
  readonly #lines: string[] = [];
  #rest = '';
  #waiting: (() => void) | undefined;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.setEncoding('utf8');
    socket.on('data', (text: string) => {
      const lines = (this.#rest + text).split('\r\n');
      this.#rest = lines.pop() ?? '';
      this.#lines.push(...lines);
      this.#waiting?.();
    });
    // An error closes it, and the next read throws.
    socket.on('error', () => {});
    socket.once('close', () => this.#waiting?.());
  }

  /** @throws if Redis does not answer or rejects the user */
  static async open({ host, localAddress, port, user }: RawRedisTarget): Promise<RawRedis> {
    const socket = connect({ host, port, ...(localAddress !== undefined && { localAddress }) });
    socket.setNoDelay(true);
    await once(socket, 'connect');
    const redis = new RawRedis(socket);
    const said = await redis.query(`AUTH ${user.username} ${user.password}`);
    if (said === '+OK') return redis;
    socket.destroy();
    throw new Error(`Redis does not let the observer in: ${said}`);
  }

  /** Sends a command and takes the first line of its answer. One command at a time. @throws when the connection is lost */
  async query(command: string): Promise<string> {
    this.socket.write(`${command}\r\n`);
    return await this.line();
  }

  /** The next line. @throws when the connection is lost */
  async line(): Promise<string> {
    while (this.#lines.length === 0) {
      if (this.socket.destroyed) throw new Error('the connection was lost');
      await new Promise<void>((resolve) => {
        this.#waiting = resolve;
      });
    }
    return this.#lines.shift() ?? '';
  }
}

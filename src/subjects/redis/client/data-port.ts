/** Probes the port by which clients reach Redis through a fault proxy. It needs no right in Redis. */
import { connect, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectSecure } from 'node:tls';
import { TIMED_OUT, within } from '../../waiting.ts';

/** How long connecting or an answer may take; milliseconds. */
const WITHIN_MS = 500;
/** Characters of an answer that are read. */
const MOST_ANSWER = 64;

/** A command that touches no key. Redis answers it, with an error if the default user requires a password. */
const ECHO = '*2\r\n$4\r\nECHO\r\n$9\r\nchaosdemo\r\n';

/** Refused: no server listens. Silent: no answer came in time, or another error. */
export type PortState = 'Accepted' | 'Refused' | 'Silent';

/** Connects once, and closes the connection. */
export async function portState(host: string, port: number): Promise<PortState> {
  const { socket, state } = await dial(host, port);
  socket.destroy();
  return state;
}

/** Stale: answered as by a former primary. Answered: by Redis. Closed: no answer came, and the connection has ended. */
export type ConnectionState = 'Stale' | 'Answered' | 'Closed';

/** One open connection, over which commands are sent one after the other. */
export class DataConnection {
  readonly #socket: Socket;

  private constructor(socket: Socket) {
    this.#socket = socket;
  }

  /**
   * @param tls verifies the certificate; undefined: plain TCP
   * @returns undefined if there is no connection in time
   */
  static async open(
    host: string,
    port: number,
    tls?: ConnectionOptions,
  ): Promise<DataConnection | undefined> {
    const { socket, state } = await dial(host, port);
    const secure = state === 'Accepted' && tls ? await secured(socket, tls) : undefined;
    if (state === 'Accepted' && (secure || !tls)) return new DataConnection(secure ?? socket);
    socket.destroy();
    return undefined;
  }

  /** Sends a command, and reads the start of its answer, however late it comes. One at a time. */
  async ask(): Promise<ConnectionState> {
    const socket = this.#socket;
    return await new Promise((resolve) => {
      let answer = '';
      const conclude = (state: ConnectionState): void => {
        socket.off('data', onData).off('close', onClose);
        resolve(state);
      };
      const onClose = (): void => conclude('Closed');
      const onData = (chunk: Buffer): void => {
        answer += chunk.toString('latin1', 0, MOST_ANSWER);
        if (answer.includes('\n')) conclude(answer.startsWith('-READONLY') ? 'Stale' : 'Answered');
        else if (answer.length >= MOST_ANSWER) conclude('Answered');
      };
      if (socket.destroyed) return onClose();
      socket.on('data', onData).once('close', onClose);
      socket.write(ECHO);
    });
  }

  /** The same, and ends the connection if no answer comes in time. */
  async state(): Promise<ConnectionState> {
    const state = await within(this.ask(), WITHIN_MS);
    if (state !== TIMED_OUT) return state;
    this.close();
    return 'Closed';
  }

  close(): void {
    this.#socket.destroy();
  }
}

/** TLS over an open connection; undefined if it is not established in time. */
async function secured(socket: Socket, tls: ConnectionOptions): Promise<Socket | undefined> {
  const secure = connectSecure({ ...tls, socket });
  secure.on('error', () => undefined);
  const established = new Promise<boolean>((resolve) => {
    secure.once('secureConnect', () => resolve(true)).once('close', () => resolve(false));
  });
  if ((await within(established, WITHIN_MS)) === true) return secure;
  secure.destroy();
  return undefined;
}

async function dial(host: string, port: number): Promise<{ socket: Socket; state: PortState }> {
  const socket = connect({ host, port, noDelay: true });
  // It stays: a connection may break at any time.
  socket.on('error', () => undefined);
  return await new Promise((resolve) => {
    const conclude = (state: PortState): void => {
      clearTimeout(timer);
      resolve({ socket, state });
    };
    const timer = setTimeout(() => conclude('Silent'), WITHIN_MS);
    socket.once('connect', () => conclude('Accepted'));
    socket.once('error', (error: NodeJS.ErrnoException) =>
      conclude(error.code === 'ECONNREFUSED' ? 'Refused' : 'Silent'),
    );
  });
}

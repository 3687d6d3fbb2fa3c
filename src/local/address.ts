/** Where something on this machine listens. */
import { connect } from 'node:net';

export interface Address {
  readonly host: string;
  readonly port: number;
}

const CONNECT_MS = 2_000;

/** Whether something accepts TCP connections there. */
export async function accepts({ host, port }: Address): Promise<boolean> {
  return await new Promise((resolve) => {
    const socket = connect({ host, port, timeout: CONNECT_MS });
    const end = (result: boolean) => (): void => {
      socket.destroy();
      resolve(result);
    };
    socket.once('connect', end(true)).once('timeout', end(false));
    // What is reset at once was accepted before, as by a proxy whose server is gone.
    socket.once('error', ({ code }: NodeJS.ErrnoException) => end(code === 'ECONNRESET')());
  });
}

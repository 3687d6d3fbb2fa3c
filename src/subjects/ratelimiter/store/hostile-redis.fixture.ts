/** For tests only: a server on loopback that behaves as no Redis does. */
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';

/** What it does with a connection; it is given nothing but the socket. */
export type Behaviour = (socket: Socket) => void;

export interface HostileRedis {
  readonly host: string;
  readonly port: number;
  /** Connections taken so far. */
  taken(): number;
  /** Connections that are still there. */
  open(): number;
  stop(): Promise<void>;
}

/** Starts one on a free port. */
export async function startHostileRedis(behave: Behaviour): Promise<HostileRedis> {
  const sockets = new Set<Socket>();
  let taken = 0;
  const server = createServer({ noDelay: true }, (socket) => {
    taken += 1;
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
    behave(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  return {
    host: '127.0.0.1',
    port: address.port,
    taken: () => taken,
    open: () => sockets.size,
    stop: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

/** Answers the first thing it is asked with these bytes, and says no more. */
export function answering(bytes: string | Uint8Array): Behaviour {
  return (socket) => {
    socket.once('data', () => socket.write(bytes));
    socket.resume();
  };
}

/** Answers the first thing it is asked with `head`, and then with `body` for ever. */
export function endlessly(head: string, body: string | Uint8Array): Behaviour {
  return (socket) => {
    socket.once('data', () => {
      socket.write(head);
      const more = (): void => {
        while (!socket.destroyed && socket.write(body));
      };
      socket.on('drain', more);
      more();
    });
    socket.resume();
  };
}

/** Answers with `head`, and then with one byte at a time, each in a packet of its own. */
export function dribbling(head: string, bytes: number): Behaviour {
  return (socket) => {
    socket.once('data', () => {
      socket.write(head);
      let left = bytes;
      const more = (): void => {
        if (socket.destroyed || left === 0) return;
        left -= 1;
        socket.write('a', () => setImmediate(more));
      };
      more();
    });
    socket.resume();
  };
}

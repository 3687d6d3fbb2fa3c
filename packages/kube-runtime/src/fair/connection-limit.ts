/**
 * Bounds the connections of an HTTP server. At the limit, a new one closes the one idle longest instead of being
 * refused: a client that opens as many as allowed must not keep the kubelet from checking the health of this process.
 */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** Limits `server` to `most` connections. */
export function limitConnections(server: Server, most: number): void {
  const open = new Set<Socket>();
  /** Connections without an active request, longest idle first. */
  const idle = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    open.add(socket);
    idle.add(socket);
    socket.once('close', () => {
      open.delete(socket);
      idle.delete(socket);
    });
    const [longest] = idle;
    if (open.size > most) end(longest ?? socket);
  });
  server.prependListener('request', ({ socket }: IncomingMessage, response: ServerResponse) => {
    idle.delete(socket);
    response.once('close', () => {
      if (open.has(socket)) idle.add(socket);
    });
  });
  // Not counted from now on; the close event comes a moment later.
  const end = (socket: Socket): void => {
    open.delete(socket);
    idle.delete(socket);
    socket.destroy();
  };
}

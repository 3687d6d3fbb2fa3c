/**
 * Bounds the connections of an HTTP server. One more ends the one that has been
 * idle longest, rather than being refused: whoever opens as many as there may be
 * must not keep the kubelet from asking whether this process is healthy.
 */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** Keeps `server` at no more than `most` connections. Returns how many there are now. */
export function limitConnections(server: Server, most: number): () => number {
  const open = new Set<Socket>();
  /** Without a request under way, longest first. */
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
  // It is gone at once for whoever counts; the system takes a moment to say so.
  const end = (socket: Socket): void => {
    open.delete(socket);
    idle.delete(socket);
    socket.destroy();
  };
  return () => open.size;
}

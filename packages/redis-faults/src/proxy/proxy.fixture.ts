/** A server on loopback, and a proxy before it; both end with their test. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';
import type { Upstream } from './connection.ts';
import { FaultProxy, type ProxyOptions } from './proxy.ts';

export const HOLDER = 'holder-of-the-test';

/** Starts a server that treats each connection so, and a proxy before it in which HOLDER is in charge. */
export async function proxied(
  onConnection: (socket: Socket) => void,
  options: Partial<ProxyOptions> = {},
): Promise<{
  readonly proxy: FaultProxy;
  readonly upstream: Upstream;
  readonly dial: () => Promise<Socket>;
}> {
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    onConnection(socket);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const upstream = { host: '127.0.0.1', port: (server.address() as AddressInfo).port };
  const proxy = new FaultProxy({
    host: '127.0.0.1',
    port: 0,
    upstream,
    onFailure: (error) => {
      throw error;
    },
    ...options,
  });
  await proxy.start();
  proxy.takeCharge(HOLDER);
  onTestFinished(async () => {
    await proxy.close();
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const dial = async (): Promise<Socket> => {
    const socket = connect({ host: '127.0.0.1', port: proxy.state.port, allowHalfOpen: true });
    sockets.add(socket);
    await once(socket, 'connect');
    socket.on('error', () => undefined);
    return socket;
  };
  return { proxy, upstream, dial };
}

/** All that a socket receives until it ends; `error`: the code of the error that ended it. */
export function received(socket: Socket): {
  readonly text: () => string;
  readonly ended: Promise<string | undefined>;
} {
  let text = '';
  let code: string | undefined;
  socket.on('error', (error: NodeJS.ErrnoException) => (code = error.code));
  socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')));
  const ended = new Promise<string | undefined>((resolve) => socket.once('close', () => resolve(code)));
  socket.once('end', () => socket.end());
  return { text: () => text, ended };
}

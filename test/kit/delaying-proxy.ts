/** A proxy on loopback that passes bytes on, with a delay that a test sets. It does not parse them. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

export interface DelayingProxy {
  readonly host: string;
  readonly port: number;
  /** How late, in milliseconds, what arrives from now on is passed on. */
  readonly delayMs: { toServer: number; toClient: number };
  /** Holds up everything for `ms` from now on, both ways, new connections too. */
  stall(ms: number): void;
  stop(): Promise<void>;
}

/** Starts one before a server. Bytes keep their order; nothing is lost when an end closes, only late. */
export async function startDelayingProxy(to: { host: string; port: number }): Promise<DelayingProxy> {
  const sockets = new Set<Socket>();
  const delayMs = { toServer: 0, toClient: 0 };
  let stalledUntil = 0;

  const untilMoment = (due: number): number => Math.max(due, stalledUntil) - performance.now();
  const pass = (from: Socket, into: Socket, delay: () => number): void => {
    let before = Promise.resolve();
    const inOrder = (act: () => void): void => {
      const due = performance.now() + delay();
      before = before.then(async () => {
        for (let left = untilMoment(due); left > 0; left = untilMoment(due)) await sleep(left);
        act();
      });
    };
    from.on('data', (chunk: Buffer) => inOrder(() => into.write(chunk)));
    from.on('end', () => inOrder(() => into.end()));
    from.on('close', () => inOrder(() => into.destroy()));
  };

  const server = createServer({ noDelay: true, allowHalfOpen: true }, (client) => {
    const upstream = connect({ ...to, noDelay: true, allowHalfOpen: true });
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => sockets.delete(socket));
    }
    pass(client, upstream, () => delayMs.toServer);
    pass(upstream, client, () => delayMs.toClient);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    host: '127.0.0.1',
    port,
    delayMs,
    stall(ms) {
      stalledUntil = performance.now() + ms;
    },
    async stop() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

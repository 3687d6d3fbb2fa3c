import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { listenDirect } from './direct.ts';
import { HOLDER, proxied } from './proxy.fixture.ts';

/** A proxy before a server that echoes, and its direct port. */
async function both() {
  const { proxy, upstream } = await proxied((socket) => void socket.pipe(socket));
  const direct = await listenDirect('127.0.0.1', 0, upstream);
  onTestFinished(() => direct.close());
  const dialDirect = async (): Promise<Socket> => {
    const socket = connect({ host: '127.0.0.1', port: direct.port });
    socket.on('error', () => undefined);
    onTestFinished(() => void socket.destroy());
    await once(socket, 'connect');
    return socket;
  };
  return { dialDirect, proxy };
}

it.each(['Refuse', 'Blackhole'] as const)('passes bytes during a %s, and is no client', async (type) => {
  const { dialDirect, proxy } = await both();
  const old = await dialDirect();
  proxy.begin(type, 60_000, HOLDER);
  for (const socket of [old, await dialDirect()]) {
    socket.write('hello');
    const [chunk] = (await once(socket, 'data')) as [Buffer];
    expect(chunk.toString()).toBe('hello');
  }
  expect(proxy.connections).toEqual([]);
});

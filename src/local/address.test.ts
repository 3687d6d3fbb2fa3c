import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { accepts } from './address.ts';

it('a port that resets its connections accepts them; a closed one does not', async () => {
  const server = createServer((socket) => socket.resetAndDestroy()).listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const at = { host: '127.0.0.1', port };
  expect(await Promise.all(Array.from({ length: 50 }, () => accepts(at)))).not.toContain(false);
  server.close();
  await once(server, 'close');
  expect(await accepts(at)).toBe(false);
});

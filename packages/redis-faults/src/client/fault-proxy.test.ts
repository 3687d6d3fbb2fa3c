/** What a server that is no fault proxy, or a malicious one, makes of a request. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { FaultProxyClient } from './fault-proxy.ts';

const TOKEN = 'correct-horse-battery';
const STATE = {
  instance: '0b6f7a52-6f0e-4f6a-9d5e-2f0f9a1c3d4e',
  faults: 0,
  port: 6379,
  fault: null,
};

async function clientOf(answer: (request: IncomingMessage, response: ServerResponse) => void) {
  const server = createServer(answer).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const client = new FaultProxyClient({ podName: 'proxy-0', host: '127.0.0.1', port, token: TOKEN });
  onTestFinished(() => {
    client.close();
    server.closeAllConnections();
    server.close();
  });
  return client;
}

const answering = async (body: string, status = 200) =>
  await clientOf((_, response) => void response.writeHead(status).end(body));

describe('a request to a fault proxy', () => {
  it('is answered with its state', async () => {
    const client = await answering(JSON.stringify({ ...STATE, further: 1 }));
    expect(await client.state()).toEqual(STATE);
  });

  it.each([
    ['no JSON', '<html>'],
    ['nothing', ''],
    ['another instance id', JSON.stringify({ ...STATE, instance: '\u001b[31m' })],
    ['a port that is none', JSON.stringify({ ...STATE, port: 65_536 })],
    ['a fault of another type', JSON.stringify({ ...STATE, fault: { type: 'Melt', remainingMs: 1 } })],
    ['a fault without an end', JSON.stringify({ ...STATE, fault: { type: 'Refuse', remainingMs: 600_001 } })],
    ['a body of a MiB', JSON.stringify({ ...STATE, more: 'x'.repeat(1024 * 1024) })],
  ])('fails if the answer is %s', async (_, body) => {
    await expect((await answering(body)).state()).rejects.toThrow(
      expect.objectContaining({ name: 'FaultProxyError', status: undefined }),
    );
  });

  it('fails if it lists an address with a command for a terminal', async () => {
    const connections = [{ client: '\u001b[2J:1' }];
    const client = await answering(JSON.stringify({ requester: '10.0.0.1:1', connections }));
    await expect(client.connections()).rejects.toThrow('something else');
  });

  it('fails if no answer comes', async () => {
    const client = await clientOf(() => undefined);
    await expect(client.state()).rejects.toThrow(expect.objectContaining({ name: 'FaultProxyError' }));
  });

  it('shows what was wrong with it', async () => {
    const plain = await answering(JSON.stringify({ message: 'a Refuse is active' }), 409);
    await expect(plain.takeCharge()).rejects.toThrow('a Refuse is active');
  });

  it('does not follow a redirect', async () => {
    const client = await clientOf(({ url }, response) => {
      if (url === '/fault') response.writeHead(302, { location: '/elsewhere' }).end();
      else response.writeHead(200).end(JSON.stringify(STATE));
    });
    await expect(client.state()).rejects.toThrow(expect.objectContaining({ status: 302 }));
  });
});

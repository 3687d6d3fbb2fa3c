import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { KubeConfig } from '@kubernetes/client-node';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type WebSocket, WebSocketServer } from 'ws';
import { ApiError } from './api-error.ts';
import { openPort } from './port-forward.ts';

const PORT = { namespace: 'shop', pod: 'api-0', port: 3000 };

function configFor(port: number): KubeConfig {
  const config = new KubeConfig();
  const cluster = { name: 'c', server: `http://127.0.0.1:${port}`, skipTLSVerify: true };
  config.loadFromClusterAndUser(cluster, { name: 'u', token: 'token' });
  return config;
}

/** An API server whose kubelet does this; or that rejects with this response. */
async function apiServer(answer: string | ((client: WebSocket) => void)) {
  const seen: { url?: string; authorization?: string } = {};
  const server = createServer();
  const sockets = new WebSocketServer({ noServer: true, handleProtocols: () => 'v4.channel.k8s.io' });
  server.on('upgrade', (request, socket, head) => {
    Object.assign(seen, { url: request.url, authorization: request.headers.authorization });
    // A client that does not read all of it resets the connection.
    socket.on('error', () => undefined);
    if (typeof answer === 'string') socket.end(answer);
    else sockets.handleUpgrade(request, socket, head, answer);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    for (const each of sockets.clients) each.terminate();
    server.close();
  });
  return { config: configFor((server.address() as AddressInfo).port), seen };
}

/** The first message of a channel has the port. */
const begin = (client: WebSocket) => {
  client.send(Buffer.from([0, 0xb8, 0x0b]));
  client.send(Buffer.from([1, 0xb8, 0x0b]));
};

describe('a port of a pod', () => {
  it('is a stream in both directions, as the user', async () => {
    const { config, seen } = await apiServer((client) => {
      begin(client);
      client.on('message', (message: Buffer) => {
        client.send(Buffer.concat([Buffer.of(0), Buffer.from('+'), message.subarray(1)]));
        client.close();
      });
    });
    const stream = await openPort(config, PORT);
    stream.write('PING');
    let text = '';
    for await (const chunk of stream) text += String(chunk);
    expect(text).toBe('+PING');
    expect(seen).toEqual({
      url: '/api/v1/namespaces/shop/pods/api-0/portforward?ports=3000',
      authorization: 'Bearer token',
    });
  });

  it.each([
    [
      // As containerd writes it.
      'error forwarding port 3000 to pod 77a4, uid : failed to execute portforward in network namespace "/var/run/netns/cni-3898": failed to connect to localhost:3000 inside namespace "77a4", IPv4: dial tcp4 127.0.0.1:3000: connect: connection refused IPv6 dial tcp6: address localhost: no suitable address found',
      /^connection refused by localhost:3000 in api-0$/,
    ],
    ['container not running', /^container not running$/],
  ])('fails with the error of the kubelet: %s', async (text, message) => {
    const { config } = await apiServer((client) => {
      begin(client);
      client.send(Buffer.concat([Buffer.of(1), Buffer.from(text)]));
    });
    const stream = await openPort(config, PORT);
    await expect(once(stream, 'data')).rejects.toThrow(message);
  });

  it.each([
    [
      'the message of the API server',
      '{"message":"user u cannot create it","reason":"Forbidden"}',
      /Forbidden: user u/,
    ],
    ['nothing', '', /403/],
    ['more than is read', 'x'.repeat(1_000_000), /403: x{1024}$/],
  ])('is not opened without the right, with %s', async (_, body, message) => {
    const { config } = await apiServer(`HTTP/1.1 403 No\r\ncontent-length: ${body.length}\r\n\r\n${body}`);
    const error: unknown = await openPort(config, PORT).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ApiError);
    expect(error).toMatchObject({ status: 403, message: expect.stringMatching(message) });
  });
});

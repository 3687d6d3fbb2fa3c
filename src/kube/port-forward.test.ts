import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { KubeConfig } from '@kubernetes/client-node';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type WebSocket, WebSocketServer } from 'ws';
import { ApiError, ApiUnreachableError } from './api-error.ts';
import { openPort } from './port-forward.ts';

const PORT = { namespace: 'shop', pod: 'api-0', port: 3000 };

function configFor(port: number): KubeConfig {
  const config = new KubeConfig();
  const cluster = { name: 'c', server: `http://127.0.0.1:${port}`, skipTLSVerify: true };
  config.loadFromClusterAndUser(cluster, { name: 'u', token: 'token' });
  return config;
}

/** An API server whose kubelet does this; or that rejects with a status. */
async function apiServer(answer: number | ((client: WebSocket) => void)) {
  const seen: { url?: string; authorization?: string } = {};
  const server = createServer();
  const sockets = new WebSocketServer({ noServer: true, handleProtocols: () => 'v4.channel.k8s.io' });
  server.on('upgrade', (request, socket, head) => {
    Object.assign(seen, { url: request.url, authorization: request.headers.authorization });
    if (typeof answer === 'number') socket.end(`HTTP/1.1 ${answer} No\r\ncontent-length: 0\r\n\r\n`);
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

  it('fails with the message of the kubelet', async () => {
    const { config } = await apiServer((client) => {
      begin(client);
      client.send(Buffer.concat([Buffer.of(1), Buffer.from('connection refused')]));
    });
    const stream = await openPort(config, PORT);
    await expect(once(stream, 'data')).rejects.toThrow('connection refused');
  });

  it('is not opened without the right', async () => {
    const { config } = await apiServer(403);
    await expect(openPort(config, PORT)).rejects.toThrow(ApiError);
    await expect(openPort(config, PORT)).rejects.toMatchObject({ status: 403 });
  });

  it('is not opened without an API server', async () => {
    await expect(openPort(configFor(1), PORT)).rejects.toThrow(ApiUnreachableError);
  });
});

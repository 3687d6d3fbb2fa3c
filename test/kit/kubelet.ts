/**
 * What a kubelet does for `kubectl port-forward`: the API server forwards a WebSocket to it, in which it connects to a
 * port of a pod. Here, the pods are processes at their addresses.
 */

import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { createServer } from 'node:https';
import { type AddressInfo, connect, type Socket } from 'node:net';
import type { Kubectl } from '@chaosdemo/testbed';
import { type WebSocket, WebSocketServer } from 'ws';
import { certificateFor } from './certificate.ts';

const PROTOCOL = 'v4.channel.k8s.io';
/** The node of all pods that are registered here. */
const NODE = 'local';

export interface Kubelet {
  stop(): Promise<void>;
}

/** @param addresses of pods by name; a pod that has none listens nowhere */
export async function startKubelet(
  kubectl: Kubectl,
  folder: string,
  addresses: ReadonlyMap<string, string>,
): Promise<Kubelet> {
  const { certFile, keyFile } = await certificateFor(folder, 'IP:127.0.0.1');
  const server = createServer({ cert: await readFile(certFile), key: await readFile(keyFile) });
  const sockets = new WebSocketServer({ noServer: true, handleProtocols: () => PROTOCOL });
  server.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) => {
    const url = new URL(request.url ?? '', 'https://kubelet');
    const pod = url.pathname.split('/').at(-1) ?? '';
    const port = Number(url.searchParams.get('port'));
    sockets.handleUpgrade(request, socket, head, (each) => forward(each, addresses.get(pod), port));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  await register(kubectl, (server.address() as AddressInfo).port);
  return {
    async stop() {
      await kubectl.run(['delete', 'node', NODE]);
      for (const each of sockets.clients) each.terminate();
      server.closeAllConnections();
      server.close();
    },
  };
}

/** Each message begins with its channel, and the first of each channel has the port. */
function forward(client: WebSocket, host: string | undefined, port: number): void {
  const number = Buffer.alloc(2);
  number.writeUInt16LE(port);
  const [data, errors] = [Buffer.of(0), Buffer.of(1)];
  for (const channel of [data, errors]) client.send(Buffer.concat([channel, number]));
  const socket = connect({ host: host ?? '127.0.0.1', port: host === undefined ? 1 : port });
  socket.on('data', (chunk: Buffer) => client.send(Buffer.concat([data, chunk])));
  socket.on('error', ({ code, message }: NodeJS.ErrnoException) => {
    const why = code === 'ECONNREFUSED' ? 'connection refused' : message;
    client.send(Buffer.concat([errors, Buffer.from(`error forwarding port ${port} to pod: ${why}`)]));
  });
  socket.on('close', () => client.close());
  client.on('message', (message: Buffer) => socket.write(message.subarray(1)));
  client.on('close', () => socket.destroy());
}

async function register(kubectl: Kubectl, port: number): Promise<void> {
  await kubectl.apply([{ apiVersion: 'v1', kind: 'Node', metadata: { name: NODE } }]);
  const status = {
    addresses: [{ type: 'InternalIP', address: '127.0.0.1' }],
    daemonEndpoints: { kubeletEndpoint: { Port: port } },
  };
  const patch = ['patch', 'node', NODE, '--subresource=status', '--type=merge'];
  await kubectl.run([...patch, '--patch', JSON.stringify({ status })]);
}

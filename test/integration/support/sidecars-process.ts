/** The process of `startSidecars`: says its ports once it listens, and what came when it is asked. */
import { once } from 'node:events';
import { request as forward, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { PodTarget } from '../../../src/subjects/ratelimiter/index.ts';

export interface SidecarData {
  readonly nodes: readonly PodTarget[];
  /** PEM. */
  readonly cert: string;
  readonly key: string;
  readonly token: string;
}

export interface Asked {
  readonly path: string;
  /** When it came, in milliseconds. */
  readonly at: number;
}

process.once('disconnect', () => process.exit());
const [{ cert, key, nodes, token }] = (await once(process, 'message')) as [SidecarData];
const asked: Asked[] = [];

/** Whoever has no token gets back what was sent. */
function serve(node: PodTarget, request: IncomingMessage, response: ServerResponse): void {
  const { headers, method, url: path = '' } = request;
  const { authorization } = headers;
  if (authorization !== undefined) asked.push({ path, at: performance.now() });
  if (authorization !== `Bearer ${token}` && path !== '/healthz') {
    response.writeHead(401).end(JSON.stringify(headers));
    return;
  }
  const onward = forward({ host: node.host, port: node.port, method, path, headers }, (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(response);
  });
  onward.on('error', () => response.destroy());
  request.pipe(onward);
}

const ports = await Promise.all(
  nodes.map(async (node) => {
    const server = createServer({ cert, key }, (request, response) => serve(node, request, response));
    await once(server.listen(0, node.host), 'listening');
    return (server.address() as AddressInfo).port;
  }),
);
process.on('message', () => process.send?.(asked));
process.send?.(ports);

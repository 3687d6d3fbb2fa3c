/** The process of `startSidecars`: sends its ports once it listens, and its requests on each message. */
import { once } from 'node:events';
import { request as forward, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { PodTarget } from '../../../src/subjects/targets/target.ts';

export interface SidecarData {
  readonly nodes: readonly PodTarget[];
  /** PEM. */
  readonly cert: string;
  readonly key: string;
  readonly token: string;
}

process.once('disconnect', () => process.exit());
const [{ cert, key, nodes, token }] = (await once(process, 'message')) as [SidecarData];
/** Paths of requests with a header `authorization`. */
const requests: string[] = [];

/** A request without the token gets its own headers back. */
function serve(node: PodTarget, request: IncomingMessage, response: ServerResponse): void {
  const { headers, method, url: path = '' } = request;
  const { authorization } = headers;
  if (authorization !== undefined) requests.push(path);
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
process.on('message', () => process.send?.(requests));
process.send?.(ports);

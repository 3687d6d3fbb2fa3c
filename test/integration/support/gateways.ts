/**
 * Pods that stand in front of the rate limiters, as a sidecar or a gateway does,
 * and misbehave on demand. What they pass on is answered by the real limiters.
 */

import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { freePort, registerPods } from '@chaosdemo/testbed';
import { rateLimiterOf, redisRef } from '../../kit/demo.ts';
import type { World } from '../../kit/world.ts';

/** What becomes of a request: it goes on to the limiter, or it does not. */
export type Conduct =
  | 'pass'
  /** 403, as a gateway that wants a login. */
  | 'refuse'
  /** A web page in place of JSON. */
  | 'garbage';

/** Which conduct a request meets, by the pod's number from 0, the method and the path without its query. */
export type Rule = (pod: number, method: string, path: string) => Conduct;

export interface Gateways {
  /** Labels of the pods, for a selector. */
  readonly labels: Readonly<Record<string, string>>;
  /** From now on. */
  rule: Rule;
  stop(): Promise<void>;
}

/** One gateway before each limiter, registered as a Ready pod each. */
export async function startGateways({ environment }: World, rule: Rule): Promise<Gateways> {
  const { controlPlane, limiters, namespace } = environment;
  const prefix = `gateway-${randomBytes(3).toString('hex')}`;
  const labels = { 'app.kubernetes.io/name': prefix };
  const ips = limiters.map((_, i) => `127.0.0.${100 + i}`);
  const port = await freePort(ips);
  const gateways: Gateways = { labels, rule, stop };
  const servers: Server[] = [];
  for (const [i, ip] of ips.entries()) {
    const server = createServer((incoming, answer) => {
      const [path = ''] = (incoming.url ?? '').split('?');
      const conduct = gateways.rule(i, incoming.method ?? '', path);
      // A client that has given up is no failure of the gateway.
      void answerBy(conduct, incoming, answer, i).catch(() => answer.destroy());
    });
    server.keepAliveTimeout = 72_000;
    server.listen(port, ip);
    await once(server, 'listening');
    servers.push(server);
  }
  const pods = await registerPods(
    controlPlane.kubectl,
    ips.map((ip, i) => ({
      namespace,
      name: `${prefix}-${i}`,
      labels,
      container: 'gateway',
      image: 'local/gateway:test',
      imageId: 'local/gateway@sha256:0',
      port: { name: 'http', number: port },
      ip,
      pid: process.pid,
    })),
  );
  return gateways;

  async function stop(): Promise<void> {
    for (const server of servers) {
      server.close();
      server.closeAllConnections();
    }
    await Promise.all(pods.map((pod) => pod.delete()));
  }

  async function answerBy(
    conduct: Conduct,
    incoming: IncomingMessage,
    answer: ServerResponse,
    pod: number,
  ): Promise<void> {
    if (conduct === 'refuse') {
      const error = { code: 'FORBIDDEN', message: 'log in first' };
      answer.writeHead(403, { 'content-type': 'application/json' }).end(JSON.stringify({ error }));
      return;
    }
    if (conduct === 'garbage') {
      answer.writeHead(200, { 'content-type': 'text/html' }).end('<html>It works!</html>');
      return;
    }
    const body = await text(incoming);
    const limiter = limiters[pod];
    if (!limiter) throw new RangeError(`there is no limiter ${pod}`);
    const passed = request(`${limiter.url}${incoming.url}`, {
      method: incoming.method,
      headers: incoming.headers,
    });
    passed.end(body);
    const [reply] = (await once(passed, 'response')) as [IncomingMessage];
    // The pods are called by their own names, as the limiters would be if they stood in them.
    const said = (await text(reply)).replaceAll('ratelimiter-', `${prefix}-`);
    const { 'content-length': _, 'transfer-encoding': __, connection: ___, ...headers } = reply.headers;
    answer.writeHead(reply.statusCode ?? 502, headers).end(said);
  }
}

/** `spec.subject` of a demo on gateways; their limiters are strangers to its Redis. */
export function behindGateways({ labels }: Pick<Gateways, 'labels'>, changes: object = {}): object {
  return rateLimiterOf({
    selector: { matchLabels: labels },
    redis: redisRef({ otherClients: 'Allow' }),
    health: { timeout: '2s' },
    ...changes,
  });
}

/** Stands before one node as a sidecar that does harm, or that only looks as if it did. */
import { once } from 'node:events';
import { Agent, createServer, request as forward, type IncomingMessage, type Server } from 'node:http';
import { buffer } from 'node:stream/consumers';
import type { Address } from '../test/kit/relay.ts';

/** allows-everything: a rejected request is admitted, and counted. unready-at-times: every other health check fails. */
export type Conduct = 'passes-on' | 'allows-everything' | 'unready-at-times';

export class Gateway {
  conduct: Conduct = 'passes-on';
  readonly #upstream: Address;
  readonly #server: Server;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: Infinity });
  /** What it let through itself, by key. */
  readonly #let = new Map<string, number>();
  #healthChecks = 0;

  private constructor(upstream: Address) {
    this.#upstream = upstream;
    this.#server = createServer((incoming, answer) => {
      this.#answer(incoming).then(
        ({ status, text }) => answer.writeHead(status, { 'content-type': 'application/json' }).end(text),
        () => incoming.socket.destroy(),
      );
    });
    this.#server.keepAliveTimeout = 72_000;
  }

  static async start(upstream: Address, at: Address): Promise<Gateway> {
    const gateway = new Gateway(upstream);
    gateway.#server.listen(at.port, at.host);
    await once(gateway.#server, 'listening');
    return gateway;
  }

  async stop(): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    this.#agent.destroy();
  }

  async #answer(incoming: IncomingMessage): Promise<{ status: number; text: string }> {
    const body = await buffer(incoming);
    const { method = 'GET', url = '/' } = incoming;
    const { connection: _, ...headers } = incoming.headers;
    const passed = forward({ ...this.#upstream, method, path: url, headers, agent: this.#agent });
    passed.end(body);
    const [reply] = (await once(passed, 'response')) as [IncomingMessage];
    const status = reply.statusCode ?? 502;
    const text = (await buffer(reply)).toString();
    if (this.conduct === 'unready-at-times' && url === '/health' && this.#healthChecks++ % 2 === 0) {
      return { status: 503, text: '{"error":"warming up"}' };
    }
    if (method === 'POST' && url === '/check' && status === 429 && this.conduct === 'allows-everything') {
      const { key } = JSON.parse(body.toString()) as { key: string };
      this.#let.set(key, (this.#let.get(key) ?? 0) + 1);
      return { status: 200, text: JSON.stringify({ ...(JSON.parse(text) as object), allowed: true }) };
    }
    if (status === 429 && this.conduct === 'allows-everything') return { status: 200, text: 'hello' };
    if (method === 'GET' && url.startsWith('/counter?') && status === 200) {
      const more = this.#let.get(new URLSearchParams(url.slice(url.indexOf('?') + 1)).get('key') ?? '') ?? 0;
      const counter = JSON.parse(text) as { admitted: number };
      return { status, text: JSON.stringify({ ...counter, admitted: counter.admitted + more }) };
    }
    return { status, text };
  }
}

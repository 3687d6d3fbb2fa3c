/** Stands between the operators and one node of the rate limiter, as a sidecar would, and notes every check. */
import { once } from 'node:events';
import {
  Agent,
  request as ask,
  createServer,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import { buffer } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import type { LinkFault } from '../plan.ts';
import { type CheckSeen, now, type TortureRecord } from '../record.ts';
import { type Passing, Weather } from './weather.ts';

export interface NodeProxyOptions {
  readonly lane: number;
  readonly node: number;
  readonly upstream: { readonly host: string; readonly port: number };
  readonly record: () => TortureRecord;
  readonly passing: Passing;
  /** Whether a key is one that a burst goes to. */
  readonly isBurst: (key: string) => boolean;
}

export class NodeProxy {
  readonly weather = new Weather<LinkFault>();
  readonly #options: NodeProxyOptions;
  readonly #server: Server;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: Infinity });

  private constructor(options: NodeProxyOptions) {
    this.#options = options;
    this.#server = createServer((asked, answer) => {
      void this.#serve(asked, answer).catch(() => asked.socket.destroy());
    });
    this.#server.keepAliveTimeout = 72_000;
  }

  /** Listens on the address of its node. */
  static async start(options: NodeProxyOptions, port: number): Promise<NodeProxy> {
    const proxy = new NodeProxy(options);
    proxy.#server.listen(port, options.upstream.host);
    await once(proxy.#server, 'listening');
    return proxy;
  }

  begin(fault: LinkFault, ms: number): void {
    this.weather.begin(fault, ms);
    if (fault === 'cut') this.#server.closeAllConnections();
  }

  async stop(): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    this.#agent.destroy();
  }

  async #serve(asked: IncomingMessage, answer: ServerResponse): Promise<void> {
    const { isBurst, lane, node, passing, record } = this.#options;
    const at = now();
    const body = await buffer(asked);
    const key = asked.method === 'POST' && asked.url === '/check' ? keyIn(body) : undefined;
    const check =
      key === undefined ? undefined : record().note<CheckSeen>({ kind: 'check', at, lane, node, key });
    const isOfBurst = key !== undefined && isBurst(key);
    if (isOfBurst && (await passing(lane, { boundary: 'burst', passed: false })) === 'drop') {
      asked.socket.destroy();
      return;
    }
    await this.weather.over('stall');
    const delay = this.weather.delayOf('delay');
    if (delay > 0) await sleep(delay);
    if (check) check.passedAt = now();
    const { status, headers, text } = await this.#pass(asked, body);
    if (check) noteAnswer(check, status, text);
    if (isOfBurst) await passing(lane, { boundary: 'burst', passed: true });
    await this.weather.over('stall');
    await this.weather.over('hold');
    // It was passed on and carried out, and nobody learns of it.
    if (this.weather.has('cut')) {
      asked.socket.destroy();
      return;
    }
    if (delay > 0) await sleep(delay);
    if (answer.destroyed || asked.socket.destroyed) {
      if (check) check.givenUp = true;
      return;
    }
    if (check) check.answeredAt = now();
    answer.writeHead(status, headers).end(text);
  }

  async #pass(asked: IncomingMessage, body: Buffer) {
    const { host, port } = this.#options.upstream;
    const { method = 'GET', url = '/' } = asked;
    const { connection: _, ...headers } = asked.headers;
    const passed = ask({ host, port, method, path: url, headers, agent: this.#agent });
    passed.end(body);
    const [reply] = (await once(passed, 'response')) as [IncomingMessage];
    const text = await buffer(reply);
    const { 'transfer-encoding': __, connection: ___, 'keep-alive': ____, ...kept } = reply.headers;
    return { status: reply.statusCode ?? 502, headers: kept, text };
  }
}

function keyIn(body: Buffer): string | undefined {
  const { key } = JSON.parse(body.toString()) as { key?: unknown };
  return typeof key === 'string' ? key : undefined;
}

function noteAnswer(check: CheckSeen, status: number, text: Buffer): void {
  check.nodeAt = now();
  check.status = status;
  try {
    const { allowed, windowId } = JSON.parse(text.toString()) as { allowed?: unknown; windowId?: unknown };
    if (typeof allowed === 'boolean') check.allowed = allowed;
    if (typeof windowId === 'string') check.windowId = windowId;
  } catch {
    // An answer that is no JSON admits nothing.
  }
}

/** A proxy between the operators and one node of the rate limiter, as a sidecar, which notes the requests. */
import { once } from 'node:events';
import {
  Agent,
  createServer,
  request as forward,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import { buffer } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { type CheckSeen, now, type TortureRecord } from '../record.ts';
import type { LinkFault } from '../step.ts';
import { type Passed, type Passing, Weather } from './weather.ts';

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
    this.#server = createServer((incoming, answer) => {
      void this.#serve(incoming, answer).catch(() => incoming.socket.destroy());
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

  async #serve(incoming: IncomingMessage, answer: ServerResponse): Promise<void> {
    const { lane, passing } = this.#options;
    const body = await buffer(incoming);
    const note = this.#note(incoming, body, now());
    const passes = note && this.#boundaryOf(note);
    if (passes && (await passing(lane, { ...passes, passed: false })) === 'drop') {
      incoming.socket.destroy();
      return;
    }
    const delay = await this.weather.late('stall', 'delay');
    if (note) note.passedAt = now();
    const { status, headers, text } = await this.#pass(incoming, body).catch((error: unknown) => {
      if (note) note.brokenOff = true;
      throw error;
    });
    if (note) this.#noteAnswer(note, status, text);
    if (passes) await passing(lane, { ...passes, passed: true });
    await this.weather.over('stall');
    await this.weather.over('hold');
    // It was passed on and carried out, without an answer to its sender.
    if (this.weather.has('cut')) {
      incoming.socket.destroy();
      return;
    }
    if (delay > 0) await sleep(delay);
    if (answer.destroyed || incoming.socket.destroyed) {
      if (note) note.givenUp = true;
      return;
    }
    if (note) note.answeredAt = now();
    answer.writeHead(status, headers).end(text);
  }

  /** Undefined for a request that is not recorded. */
  #note({ method = 'GET', url = '' }: IncomingMessage, body: Buffer, at: number): CheckSeen | undefined {
    const { lane, node, record } = this.#options;
    const { pathname } = new URL(url, 'http://node');
    if (method !== 'POST' || pathname !== '/check') return undefined;
    const { key } = fieldsIn(body);
    if (typeof key !== 'string') return undefined;
    return record().note<CheckSeen>({ kind: 'check', at, lane, node, key });
  }

  #boundaryOf(note: CheckSeen): Omit<Passed, 'passed'> | undefined {
    return this.#options.isBurst(note.key) ? { boundary: 'burst' } : undefined;
  }

  #noteAnswer(note: CheckSeen, status: number, text: Buffer): void {
    note.nodeAt = now();
    note.status = status;
    try {
      const { allowed } = fieldsIn(text);
      if (typeof allowed === 'boolean') note.allowed = allowed;
    } catch {
      // An answer that is no JSON admits nothing.
    }
  }

  async #pass(incoming: IncomingMessage, body: Buffer) {
    const { host, port } = this.#options.upstream;
    const { method = 'GET', url = '/' } = incoming;
    const { connection: _, ...headers } = incoming.headers;
    const passed = forward({ host, port, method, path: url, headers, agent: this.#agent });
    passed.end(body);
    const [reply] = (await once(passed, 'response')) as [IncomingMessage];
    const text = await buffer(reply);
    const { 'transfer-encoding': __, connection: ___, 'keep-alive': ____, ...kept } = reply.headers;
    return { status: reply.statusCode ?? 502, headers: kept, text };
  }
}

/** @throws SyntaxError where it is no JSON */
function fieldsIn(body: Buffer): Readonly<Record<string, unknown>> {
  return JSON.parse(body.toString()) as Record<string, unknown>;
}

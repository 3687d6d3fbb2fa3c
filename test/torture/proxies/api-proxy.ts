/** Stands between one operator and the API server: ends its TLS, and speaks to the API server with its token. */

import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { Agent, createServer, request as forward, type Server } from 'node:https';
import { buffer } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import type { RedisTlsFiles } from '../../kit/certificate.ts';
import { now, type TortureRecord } from '../record.ts';
import type { ApiFault } from '../step.ts';
import { BoundaryFinder } from './boundaries.ts';
import { type Passing, Weather } from './weather.ts';

export interface ApiProxyOptions {
  /** Identity of the operator that uses it. */
  readonly replica: string;
  /** Of the API server. */
  readonly url: string;
  /** Of the authority of the API server. */
  readonly caFile: string;
  /** What the proxy shows to the operator: a certificate that is its own authority. */
  readonly certificate: RedisTlsFiles;
  readonly record: () => TortureRecord;
  readonly passing: Passing;
  /** The lane of an object; undefined where it is none of the torture's. */
  readonly laneOf: (namespace: string) => number | undefined;
}

interface Answer {
  readonly status: number;
  readonly headers: OutgoingHttpHeaders;
  readonly body: Buffer;
}

/** Half an answer is what a cut leaves of it. */
const HALF = 0.5;

/** A list as it was, to be given again when it is old. */
interface OldList {
  readonly headers: OutgoingHttpHeaders;
  answer: Answer;
}

export class ApiProxy {
  readonly weather = new Weather<ApiFault>();
  readonly #options: ApiProxyOptions;
  readonly #server: Server;
  readonly #agent: Agent;
  readonly #watches = new Set<ServerResponse>();
  readonly #lists = new Map<string, OldList>();
  readonly #boundaries = new BoundaryFinder();
  #leasedAt = 0;

  private constructor(options: ApiProxyOptions) {
    this.#options = options;
    this.#agent = new Agent({ keepAlive: true, ca: readFileSync(options.caFile) });
    const { certFile, keyFile } = options.certificate;
    const tls = { cert: readFileSync(certFile), key: readFileSync(keyFile) };
    this.#server = createServer(tls, (incoming, answer) => {
      void this.#serve(incoming, answer).catch(() => incoming.socket.destroy());
    });
    this.#server.keepAliveTimeout = 72_000;
  }

  static async start(options: ApiProxyOptions): Promise<ApiProxy> {
    const proxy = new ApiProxy(options);
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  get url(): string {
    const address = this.#server.address();
    return `https://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`;
  }

  /** A fault that is active for `ms`, also for watches that are open. */
  begin(fault: ApiFault, ms: number): void {
    this.weather.begin(fault, ms);
    if (fault === 'cut') this.#server.closeAllConnections();
    if (fault !== '410' && fault !== 'stale') return;
    for (const watch of this.#watches) {
      // One that two faults end at the same moment is ended once.
      if (!watch.writableEnded) watch.end(`${JSON.stringify({ type: 'ERROR', object: EXPIRED })}\n`);
    }
  }

  /** When its operator last wrote itself into the leader lease; 0 where it never has. */
  get leasedAt(): number {
    return this.#leasedAt;
  }

  async stop(): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    this.#agent.destroy();
  }

  async #serve(incoming: IncomingMessage, answer: ServerResponse): Promise<void> {
    const { laneOf, passing, record, replica } = this.#options;
    const { method = 'GET', url = '/' } = incoming;
    const at = now();
    const body = await buffer(incoming);
    const path = url.split('?')[0] ?? url;
    const note = (status: number, forged: boolean): void => {
      record().note({ kind: 'request', at, replica, method, path, status, forged });
    };
    const write = this.#boundaries.statusWrite(method, path, body);
    const lane = write && laneOf(write.namespace);
    const boundary = lane === undefined ? undefined : write?.boundary;
    if (boundary && lane !== undefined) {
      if ((await passing(lane, { boundary, passed: false })) === 'drop') {
        incoming.socket.destroy();
        return;
      }
    }
    const delay = await this.weather.late('stall', 'delay');
    const isWatch = /[?&]watch=true/.test(url);
    const forged = this.#forge(method, isWatch, url);
    if (forged) {
      note(forged.status, true);
      answer.writeHead(forged.status, forged.headers).end(forged.body);
      return;
    }
    if (isWatch) return await this.#passWatch(incoming, answer, note);
    const passed = await this.#pass(incoming, answer, body);
    note(passed.status, false);
    if (method === 'GET' && passed.status === 200 && isList(path))
      this.#lists.set(url, { headers: ownHeaders(incoming), answer: passed });
    if (passed.status < 300 && this.#isLeaderLease(method, path, body)) this.#leasedAt = now();
    if (passed.status < 300 && write) this.#boundaries.stored(write);
    if (boundary && lane !== undefined) await passing(lane, { boundary, passed: true });
    await this.weather.over('stall');
    if (this.weather.has('cut')) {
      // The whole length is promised and half of it comes.
      answer.writeHead(passed.status, { ...passed.headers, 'content-length': passed.body.length });
      answer.write(passed.body.subarray(0, passed.body.length * HALF));
      await sleep(5);
      incoming.socket.destroy();
      return;
    }
    if (delay > 0) await sleep(delay);
    answer.writeHead(passed.status, passed.headers).end(passed.body);
  }

  /** What the API server might have answered, and did not. */
  #forge(method: string, isWatch: boolean, url: string): Answer | undefined {
    if (this.weather.has('429')) return refusal(429, 'TooManyRequests', { 'retry-after': '1' });
    if (this.weather.has('500')) return refusal(500, 'InternalError');
    if (this.weather.has('503')) return refusal(503, 'ServiceUnavailable');
    if (this.weather.has('409') && method !== 'GET') return refusal(409, 'Conflict');
    if (this.weather.has('410') && isWatch) return refusal(410, 'Expired');
    if (this.weather.has('stale') && method === 'GET' && !isWatch) return this.#lists.get(url)?.answer;
    return undefined;
  }

  #isLeaderLease(method: string, path: string, body: Buffer): boolean {
    if (method !== 'PUT' && method !== 'POST') return false;
    if (!/\/leases(\/chaosdemo-operator)?$/.test(path)) return false;
    const { spec } = JSON.parse(body.toString()) as { spec?: { holderIdentity?: string } };
    return spec?.holderIdentity === this.#options.replica;
  }

  /** Requests the lists of the operator once more: from now on these are the stale ones. */
  async keepLists(): Promise<void> {
    for (const [url, list] of this.#lists) {
      const sent = forward(`${this.#options.url}${url}`, { headers: list.headers, agent: this.#agent });
      sent.end();
      const [reply] = (await once(sent, 'response')) as [IncomingMessage];
      const answer = await answerOf(reply);
      if (answer.status === 200) list.answer = answer;
    }
  }

  async #reach(incoming: IncomingMessage, answer: ServerResponse, body?: Buffer): Promise<IncomingMessage> {
    const { method = 'GET', url = '/' } = incoming;
    const headers = ownHeaders(incoming);
    const passed = forward(`${this.#options.url}${url}`, { method, headers, agent: this.#agent });
    answer.once('close', () => {
      if (!answer.writableFinished) passed.destroy();
    });
    passed.end(body);
    const [reply] = (await once(passed, 'response')) as [IncomingMessage];
    return reply;
  }

  async #pass(incoming: IncomingMessage, answer: ServerResponse, body: Buffer): Promise<Answer> {
    return await answerOf(await this.#reach(incoming, answer, body));
  }

  async #passWatch(
    incoming: IncomingMessage,
    answer: ServerResponse,
    note: (status: number, forged: boolean) => void,
  ): Promise<void> {
    const reply = await this.#reach(incoming, answer);
    const { connection: _, 'transfer-encoding': __, ...headers } = reply.headers;
    note(reply.statusCode ?? 502, false);
    answer.writeHead(reply.statusCode ?? 502, headers);
    answer.flushHeaders();
    this.#watches.add(answer);
    answer.once('close', () => {
      this.#watches.delete(answer);
      reply.destroy();
    });
    for await (const chunk of reply as AsyncIterable<Buffer>) {
      await this.weather.late('stall', 'delay');
      if (answer.writableEnded || answer.destroyed) return;
      answer.write(chunk);
    }
    answer.end();
  }
}

const EXPIRED = {
  kind: 'Status',
  apiVersion: 'v1',
  metadata: {},
  status: 'Failure',
  message: 'too old resource version',
  reason: 'Expired',
  code: 410,
};

function refusal(status: number, reason: string, headers: OutgoingHttpHeaders = {}): Answer {
  const said = { ...EXPIRED, message: `the torture says ${reason}`, reason, code: status };
  return {
    status,
    headers: { 'content-type': 'application/json', ...headers },
    body: Buffer.from(JSON.stringify(said)),
  };
}

/** Those of the request, without what is about the connection alone. */
function ownHeaders({ headers }: IncomingMessage): OutgoingHttpHeaders {
  const { connection: _, host: __, ...own } = headers;
  return own;
}

async function answerOf(reply: IncomingMessage): Promise<Answer> {
  const { connection: _, 'transfer-encoding': __, ...headers } = reply.headers;
  return { status: reply.statusCode ?? 502, headers, body: await buffer(reply) };
}

function isList(path: string): boolean {
  return path.endsWith('/chaosdemos');
}

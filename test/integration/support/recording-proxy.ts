/** Stands before a node that speaks HTTP, passes requests and answers on, and writes down when each passed. */
import { once } from 'node:events';
import { Agent, createServer, type IncomingHttpHeaders, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A request and its answer, as they passed; milliseconds by one monotonic clock. */
export interface Passed {
  /** What its `x-api-key` said. */
  readonly caller: string | undefined;
  readonly requestAt: number;
  readonly answerAt: number;
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
}

export class RecordingProxy {
  readonly passed: Passed[] = [];
  readonly #agent = new Agent({ keepAlive: true });
  readonly #server: Server;

  private constructor({ host, port }: { readonly host: string; readonly port: number }) {
    this.#server = createServer((incoming, outgoing) => {
      const requestAt = performance.now();
      const { headers, method, url: path } = incoming;
      const onward = request({ agent: this.#agent, host, port, headers, method, path }, (answer) => {
        const status = answer.statusCode ?? 0;
        const caller = headers['x-api-key']?.toString();
        this.passed.push({ caller, requestAt, answerAt: performance.now(), status, headers: answer.headers });
        outgoing.writeHead(status, answer.headers);
        answer.pipe(outgoing);
      });
      onward.on('error', () => outgoing.destroy());
      incoming.pipe(onward);
    });
  }

  static async start(to: { readonly host: string; readonly port: number }): Promise<RecordingProxy> {
    const proxy = new RecordingProxy(to);
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  get address(): { readonly host: string; readonly port: number } {
    return { host: '127.0.0.1', port: (this.#server.address() as AddressInfo).port };
  }

  async stop(): Promise<void> {
    this.#agent.destroy();
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }
}

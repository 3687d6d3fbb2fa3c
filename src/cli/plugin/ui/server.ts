/** Serves a page on loopback, with access control and resource limits. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { isForbidden } from '@chaosdemo/kube-runtime';
import { messageHtml } from '../../report/html.ts';
import { PluginError } from '../errors.ts';
import { authorize, type Credentials } from './access.ts';
import { POLICY } from './page.ts';

/** Resource limits. `keyMs`: milliseconds for which the key is valid, as a browser may never come. */
export const BOUNDS = {
  connections: 32,
  headBytes: 8 * 1024,
  keyMs: 5 * 60_000,
} as const;

export interface UiOptions {
  /** Makes the page as it is now. */
  readonly page: (signal: AbortSignal) => Promise<string>;
  /** 0: any free port. */
  readonly port: number;
  readonly token: string;
  /** Admits one browser in place of the token, once, and within minutes. */
  readonly key?: string;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
}

export interface Ui {
  readonly port: number;
  close(): Promise<void>;
}

/** @throws if the port is taken */
export async function serveUi({ key, now = Date.now, page, port, token }: UiOptions): Promise<Ui> {
  const closing = new AbortController();
  const server = createServer({
    maxHeaderSize: BOUNDS.headBytes,
    headersTimeout: 5_000,
    requestTimeout: 10_000,
    keepAliveTimeout: 5_000,
    connectionsCheckingInterval: 1_000,
  });
  server.maxConnections = BOUNDS.connections;
  await listen(server, port);
  let gate: Credentials = { port: (server.address() as AddressInfo).port, token, key };
  const keyEnds = now() + BOUNDS.keyMs;

  const answer = async (response: ServerResponse): Promise<void> => {
    const gone = new AbortController();
    response.on('close', () => gone.abort(new Error('the page was closed')));
    try {
      send(response, 200, await page(AbortSignal.any([closing.signal, gone.signal])));
    } catch (error) {
      send(response, ...problemOf(error));
    }
  };

  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    response.on('error', () => undefined);
    if (now() > keyEnds) gate = { ...gate, key: undefined };
    const decision = authorize(request, gate);
    if (decision.kind === 'refuse') {
      if (decision.status === 405) response.setHeader('allow', 'GET');
      response.setHeader('connection', 'close');
      return send(response, decision.status, messageHtml(decision.why, []));
    }
    if (decision.kind === 'enter') {
      if (decision.byKey) gate = { ...gate, key: undefined };
      // The address with the token is left behind.
      response.setHeader('set-cookie', decision.cookie);
      response.setHeader('location', '/');
      return send(response, 303, '');
    }
    if (decision.path !== '/') {
      return send(response, 404, messageHtml('There is nothing at this address.', []));
    }
    void answer(response);
  });

  return {
    port: gate.port,
    async close() {
      closing.abort(new Error('the ui is closed'));
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}

/** Status and page. Other errors may name the API server and its user. */
function problemOf(error: unknown): [status: number, body: string] {
  if (error instanceof PluginError) return [404, messageHtml(error.message, [])];
  return isForbidden(error)
    ? [
        403,
        messageHtml(
          'You may not read this ChaosDemo. Ask for the right to get chaosdemos.chaosdemo.dev.',
          [],
        ),
      ]
    : [502, messageHtml('The API server did not answer as it should. Try: kubectl get chaosdemos', [])];
}

const HEADERS = {
  'content-security-policy': POLICY,
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'cache-control': 'no-store',
} as const;

function send(response: ServerResponse, status: number, body: string): void {
  if (response.destroyed) return;
  response.writeHead(status, {
    ...HEADERS,
    'content-type': 'text/html; charset=utf-8',
    'content-length': Buffer.byteLength(body),
  });
  response.end(body);
}

async function listen(server: Server, port: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host: '127.0.0.1', port, exclusive: true }, resolve);
  });
}

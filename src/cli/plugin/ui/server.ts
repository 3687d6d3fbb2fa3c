/**
 * Serves a page on loopback, to those who have its address. The path is a token, and there is no cookie: a page of another
 * origin can send requests, and gets nothing.
 */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { isForbidden } from '@chaosdemo/kube-runtime';
import { messageHtml } from '../../report/html.ts';
import type { Connection } from '../connection.ts';
import { PluginError } from '../errors.ts';
import { POLICY, runPage } from './page.ts';

export interface Ui {
  /** With the token, for those who may see the page. */
  readonly address: string;
  close(): Promise<void>;
}

/**
 * @param page makes the page as it is now
 * @param port 0: any free one
 * @throws if the port is taken
 */
export async function serveUi(page: (signal: AbortSignal) => Promise<string>, port: number): Promise<Ui> {
  const token = randomBytes(32).toString('base64url');
  const closing = new AbortController();
  const answer = async (response: ServerResponse): Promise<void> => {
    const gone = new AbortController();
    response.on('close', () => gone.abort(new Error('the page was closed')));
    try {
      send(response, 200, await page(AbortSignal.any([closing.signal, gone.signal])));
    } catch (error) {
      sendMessage(response, ...problemOf(error));
    }
  };
  const server = createServer((request, response) => {
    response.on('error', () => undefined);
    if (request.method === 'GET' && isPath(request, token)) void answer(response);
    else sendMessage(response, 404, NOT_SERVED);
  });
  server.listen({ host: '127.0.0.1', port, exclusive: true });
  await once(server, 'listening');
  return {
    address: `http://127.0.0.1:${(server.address() as AddressInfo).port}/${token}`,
    async close() {
      closing.abort(new Error('the ui is closed'));
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}

export interface UiOptions {
  readonly connection: Connection;
  /** Of the object. */
  readonly name: string;
  /** 0: any free port. */
  readonly port: number;
  readonly print: (line: string) => void;
}

/** Serves the page of a run, and prints its address. The caller closes it. @throws {PluginError} if the port is taken */
export async function openUi({ connection, name, port, print }: UiOptions): Promise<Ui> {
  const page = (signal: AbortSignal): Promise<string> => runPage(connection, name, signal);
  const ui = await serveUi(page, port).catch((error: unknown) => {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'EADDRINUSE' && code !== 'EACCES') throw error;
    throw new PluginError(
      `port ${port} of 127.0.0.1 ${code === 'EACCES' ? 'may not be used' : 'is taken'}`,
      'Leave --port out to take one that is free, or name another.',
    );
  });
  print(ui.address);
  print('Anyone with this address sees what you may read. Ctrl-C ends it.');
  return ui;
}

const NOT_SERVED =
  'There is nothing at this address. Open the one that was printed in the terminal, to its end.';

/** Whether the request is for this secret. Takes the same time whatever is sent. */
function isPath({ url = '' }: IncomingMessage, secret: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(url), digest(`/${secret}`));
}

/** Other errors may name the API server and its user. */
function problemOf(error: unknown): [status: number, why: string] {
  if (error instanceof PluginError) return [404, error.message];
  return isForbidden(error)
    ? [403, 'You may not read this ChaosDemo. Ask for the right to get chaosdemos.chaosdemo.dev.']
    : [502, 'The API server did not respond as it should. Try: kubectl get chaosdemos'];
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

function sendMessage(response: ServerResponse, status: number, why: string): void {
  send(response, status, messageHtml(why, []));
}

function send(response: ServerResponse, status: number, body: string): void {
  if (response.destroyed) return;
  response.writeHead(status, {
    ...HEADERS,
    'content-type': 'text/html; charset=utf-8',
    'content-length': Buffer.byteLength(body),
  });
  response.end(body);
}

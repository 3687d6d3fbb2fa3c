/** Serves the pages on loopback, with access control and resource limits. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { isForbidden } from '@chaosdemo/kube-runtime';
import { authorize, type Credentials } from './access.ts';
import { overviewPage, problemPage, runPage } from './pages.ts';
import { POLICY } from './shell.ts';
import type { Change, Place, UiSource } from './source.ts';

/**
 * Resource limits. A browser opens six connections to one address, and keeps one for a live page. `unread`: bytes of a
 * stream that are not consumed; `keyMs`: milliseconds for which the key is valid, as a browser may never come.
 */
export const BOUNDS = {
  connections: 32,
  streams: 5,
  headBytes: 8 * 1024,
  unread: 16 * 1024,
  keyMs: 5 * 60_000,
} as const;
/** Minimum interval between two notifications of a live page, in milliseconds: each makes it reload. */
const NEWS_MS = 1_000;

export interface UiOptions {
  readonly source: UiSource;
  /** 0: any free port. */
  readonly port: number;
  readonly token: string;
  /** As in the commands that pages print, with the flags for the same cluster. */
  readonly kubectl: string;
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
export async function serveUi({ key, kubectl, now = Date.now, port, source, token }: UiOptions): Promise<Ui> {
  const closing = new AbortController();
  const streams = new Set<Promise<void>>();
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

  const stream = (response: ServerResponse, place: Place | undefined): void => {
    // 204 stops the retries: a browser reconnects after anything else.
    if (streams.size >= BOUNDS.streams) return send(response, 204, '');
    response.writeHead(200, { ...HEADERS, 'content-type': 'text/event-stream' });
    response.write(': here\n\n');
    const gone = new AbortController();
    response.on('close', () => gone.abort(new Error('the page was closed')));
    const signal = AbortSignal.any([closing.signal, gone.signal]);
    const following = followTo(response, source, place, signal).finally(() => {
      streams.delete(following);
      response.destroy();
    });
    streams.add(following);
  };

  const page = async (response: ServerResponse, path: string): Promise<void> => {
    const gone = new AbortController();
    response.on('close', () => gone.abort(new Error('the page was closed')));
    const signal = AbortSignal.any([closing.signal, gone.signal]);
    try {
      const made = await pageOf(path, { kubectl, source }, now, signal);
      send(response, made ? 200 : 404, made ?? problemPage('There is nothing at this address.'));
    } catch (error) {
      // The error may name the API server and its user.
      if (isForbidden(error)) send(response, 403, problemPage(whyRefused(routeOf(path))));
      else
        send(
          response,
          502,
          problemPage('The API server did not answer as it should. Try: kubectl get chaosdemos'),
        );
    }
  };

  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    response.on('error', () => undefined);
    if (now() > keyEnds) gate = { ...gate, key: undefined };
    const decision = authorize(request, gate);
    if (decision.kind === 'refuse') {
      if (decision.status === 405) response.setHeader('allow', 'GET');
      response.setHeader('connection', 'close');
      return send(response, decision.status, problemPage(decision.why));
    }
    const { path } = decision;
    const known = routeOf(path);
    if (decision.kind === 'enter') {
      if (decision.byKey) gate = { ...gate, key: undefined };
      // Redirects to the requested page, if it is one: the address with the token is left behind.
      response.setHeader('set-cookie', decision.cookie);
      response.setHeader('location', known && known.kind !== 'events' ? path : '/');
      return send(response, 303, '');
    }
    if (known?.kind === 'events') return stream(response, known.place);
    void page(response, path);
  });

  return {
    port: gate.port,
    async close() {
      closing.abort(new Error('the ui is closed'));
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await Promise.all([closed, ...streams]);
    },
  };
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

/** Notifies that something has changed, not what: at most once in {@link NEWS_MS}. */
async function followTo(
  response: ServerResponse,
  source: UiSource,
  place: Place | undefined,
  signal: AbortSignal,
): Promise<void> {
  let next: Change | undefined;
  let waiting: NodeJS.Timeout | undefined;
  const tell = (): void => {
    waiting = undefined;
    if (next === undefined) return;
    // The page is asleep and not reading; it reconnects and reloads when it wakes.
    if (response.writableLength > BOUNDS.unread) return void response.destroy();
    response.write(`event: ${next}\ndata:\n\n`);
    next = undefined;
    waiting = setTimeout(tell, NEWS_MS);
  };
  const onChange = (change: Change): void => {
    next = change;
    if (waiting === undefined) tell();
  };
  try {
    await source.follow(place, onChange, signal);
  } catch {
    // The page shows that it is not live, and reconnects.
  } finally {
    clearTimeout(waiting);
  }
}

/** Names by the rules of Kubernetes. */
const NAME = '[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?';
const RUN = new RegExp(`^/runs/(${NAME})/(${NAME})(?:/(events))?$`);

type Route =
  | { readonly kind: 'overview' }
  | { readonly kind: 'events'; readonly place?: Place }
  | { readonly kind: 'run'; readonly place: Place };

function routeOf(path: string): Route | undefined {
  if (path === '/') return { kind: 'overview' };
  if (path === '/events') return { kind: 'events' };
  const [, namespace, name, events] = RUN.exec(path) ?? [];
  if (namespace === undefined || name === undefined) return undefined;
  const place = { namespace, name };
  return { kind: events === undefined ? 'run' : 'events', place };
}

/** The missing permission, and how to get it. */
function whyRefused(route: Route | undefined): string {
  if (route?.kind === 'run') {
    return `You may not read ChaosDemos in namespace ${route.place.namespace}. Ask for the right to get chaosdemos.chaosdemo.dev there.`;
  }
  return 'You may not list ChaosDemos here. Name a namespace where you may: kubectl chaosdemo ui -n NAMESPACE';
}

/** @returns undefined if there is no such page */
async function pageOf(
  path: string,
  { kubectl, source }: Pick<UiOptions, 'kubectl' | 'source'>,
  now: () => number,
  signal: AbortSignal,
): Promise<string | undefined> {
  const route = routeOf(path);
  if (route?.kind === 'overview') return overviewPage(await source.overview(signal), kubectl);
  if (route?.kind !== 'run') return undefined;
  const found = await source.run(route.place, signal);
  return found && runPage({ source: found, now: now(), kubectl });
}

async function listen(server: Server, port: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host: '127.0.0.1', port, exclusive: true }, resolve);
  });
}

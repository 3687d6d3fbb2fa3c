/**
 * Serves /healthz, /readyz and /metrics to the cluster.
 *
 * /healthz only shows that the event loop runs: a restart would not bring back a lost subject or API server, and would
 * cut short a run that waits for them.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { limitConnections } from '@chaosdemo/kube-runtime/fair';
import type { Registry } from 'prom-client';
import { messageOf } from '../../api/index.ts';

/** How long a rendered page is reused, in milliseconds. */
const FRESH_MS = 1000;
/** Concurrent connections: probes of the kubelet, a few scrapers, and room for clients that only hold them open. */
const MAX_CONNECTIONS = 64;
/** A connection is closed after this many requests. */
const MAX_REQUESTS = 1000;
/** Timeouts for a header, a request, and a client that neither sends nor reads; in milliseconds. */
const HEADERS_TIMEOUT_MS = 5000;
const REQUEST_TIMEOUT_MS = 10_000;
const IDLE_TIMEOUT_MS = 10_000;

export interface HttpServerOptions {
  /** Default: all addresses. */
  host?: string | undefined;
  /** 0: any free port. */
  port: number;
  isReady: () => boolean;
  registry: Registry;
}

export type HttpServer = Awaited<ReturnType<typeof startHttpServer>>;

/**
 * Starts listening.
 *
 * @throws the error of the system, such as EADDRINUSE, with what to change.
 */
export async function startHttpServer(options: HttpServerOptions) {
  const metrics = createMetricsPage(options.registry);
  const limits = {
    headersTimeout: HEADERS_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    // How often those two are checked.
    connectionsCheckingInterval: 1000,
    maxHeaderSize: 8192,
  };
  const server = createServer(limits, (request, response) => {
    void answer({ ...options, metrics }, request, response);
  });
  limitConnections(server, MAX_CONNECTIONS);
  server.maxRequestsPerSocket = MAX_REQUESTS;
  server.timeout = IDLE_TIMEOUT_MS;
  // Longer than the usual scrape interval of 15 s or probe period of 10 s, to avoid a handshake for each.
  server.keepAliveTimeout = 30_000;
  await listen(server, options);
  return {
    port: (server.address() as AddressInfo).port,
    /** Accepts no more connections, ends idle ones and gives running requests `graceMs` to finish. */
    close: (graceMs = 1_000) => close(server, graceMs),
  };
}

async function answer(
  { isReady, metrics, registry }: HttpServerOptions & { readonly metrics: () => Promise<string> },
  { method, url }: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (method !== 'GET' && method !== 'HEAD') {
    response.setHeader('allow', 'GET, HEAD');
    return send(response, 405, 'Only GET and HEAD are accepted here.\n');
  }
  // Not through URL, which throws on some client input.
  const path = String(url).replace(/\?.*$/s, '');
  if (path === '/healthz') return send(response, 200, 'ok\n');
  if (path === '/readyz') {
    return isReady()
      ? send(response, 200, 'ok\n')
      : send(response, 503, 'not ready: the cache is not read yet\n');
  }
  if (path !== '/metrics') return send(response, 404, 'There is /healthz, /readyz and /metrics.\n');
  try {
    send(response, 200, await metrics(), registry.contentType);
  } catch {
    // A gauge could not be read. The error must not be shown to everyone who can reach this port.
    send(response, 500, 'The metrics could not be collected.\n');
  }
}

function send(
  response: ServerResponse,
  status: number,
  body: string,
  type = 'text/plain; charset=utf-8',
): void {
  response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(body) }).end(body);
}

async function listen(server: Server, { host, port }: HttpServerOptions): Promise<void> {
  try {
    server.listen({ port, host });
    await once(server, 'listening');
  } catch (error) {
    const why = messageOf(error);
    throw new Error(
      `Cannot serve health and metrics (${why}): choose another --http-host or --http-port, or 0 for any free port.`,
      { cause: error },
    );
  }
}

async function close(server: Server, graceMs: number): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  server.closeIdleConnections();
  const timer = setTimeout(() => server.closeAllConnections(), graceMs);
  await closed;
  clearTimeout(timer);
}

/**
 * The page of metrics: rendered about once a second and one at a time, however many clients request it.
 * @returns a function that throws if a metric cannot be read
 */
function createMetricsPage(registry: Pick<Registry, 'metrics'>): () => Promise<string> {
  let page: Promise<string> | undefined;
  const forget = (): void => {
    page = undefined;
  };
  return () => {
    page ??= registry.metrics().finally(() => setTimeout(forget, FRESH_MS).unref());
    return page;
  };
}

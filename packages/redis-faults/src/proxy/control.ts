/** The control API of the proxy over HTTP: only a client with the token reads or changes anything. */
/* oxlint-disable oxc/no-async-endpoint-handlers -- meant for Express 4; Fastify handles what async handlers throw */
import { createHash, timingSafeEqual } from 'node:crypto';
import { limitConnections } from '@chaosdemo/kube-runtime/fair';
import Fastify, { type FastifyInstance } from 'fastify';
import { z } from 'zod';
import { formatAddr } from '../client/address.ts';
import { FAULT_TYPES, LONGEST_PROXIED_MS } from './control-api.ts';
import { type FaultProxy, LONGEST_LATENCY_MS } from './proxy.ts';

const BODY_LIMIT_BYTES = 1024;
/**
 * Concurrent connections. One or two operators and the kubelet need few; the rest is for others, which the limit ends
 * first as long as they send no whole request.
 */
const MOST_CONNECTIONS = 256;
const REQUEST_TIMEOUT_MS = 5000;

const holder = z.string().regex(/^[A-Za-z0-9-]{8,64}$/);
const CHARGE = z.strictObject({ holder });
const FAULT = z
  .strictObject({
    type: z.enum(FAULT_TYPES),
    durationMs: z.int().min(1).max(LONGEST_PROXIED_MS),
    latencyMs: z.int().min(1).max(LONGEST_LATENCY_MS).optional(),
    holder,
  })
  .refine(({ latencyMs, type }) => (type === 'Latency') === (latencyMs !== undefined));

/** Fastify responds with the status and the message of the error. */
function parsed<T>(schema: z.ZodType<T>, body: unknown): T {
  const result = schema.safeParse(body);
  if (result.success) return result.data;
  throw Object.assign(new Error(z.prettifyError(result.error)), { statusCode: 400 });
}

/** Not listening yet. @param token that each request but GET /healthz has to carry */
export function createControl(proxy: FaultProxy, token: string): FastifyInstance {
  const app = Fastify({
    bodyLimit: BODY_LIMIT_BYTES,
    requestTimeout: REQUEST_TIMEOUT_MS,
    connectionTimeout: 2 * REQUEST_TIMEOUT_MS,
    keepAliveTimeout: REQUEST_TIMEOUT_MS,
    forceCloseConnections: true,
    http: { maxHeaderSize: 8192, headersTimeout: REQUEST_TIMEOUT_MS },
  });
  limitConnections(app.server, MOST_CONNECTIONS);
  app.removeContentTypeParser('text/plain');

  const expected = digest(`Bearer ${token}`);
  app.addHook('onRequest', async (request, reply) => {
    if (request.url === '/healthz') return;
    if (timingSafeEqual(digest(request.headers.authorization ?? ''), expected)) return;
    await reply.code(401).send({ error: 'Unauthorized', message: 'send the token of this proxy' });
  });

  // For probes: a fault must not make the pod unready, or its Service would drop it.
  app.get('/healthz', async () => ({ status: 'ok' }));
  app.get('/fault', async () => proxy.state);
  app.get('/connections', async ({ socket }) => ({
    requester: formatAddr(socket.remoteAddress, socket.remotePort),
    connections: proxy.connections,
  }));
  app.put('/charge', async ({ body }) => {
    proxy.takeCharge(parsed(CHARGE, body).holder);
    return proxy.state;
  });
  app.put('/fault', async ({ body }) => {
    const { durationMs, holder, latencyMs, type } = parsed(FAULT, body);
    const clients = proxy.begin(type, durationMs, holder, latencyMs);
    return { ...proxy.state, clients };
  });
  app.delete('/fault', async ({ query }) => {
    await proxy.end(parsed(CHARGE, query).holder);
    return proxy.state;
  });
  return app;
}

/** Of equal length, as the comparison requires. */
function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

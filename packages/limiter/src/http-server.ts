/** The limiter's HTTP interface: routes, validation of requests, and the form of every response. */
/* oxlint-disable oxc/no-async-endpoint-handlers -- meant for Express 4; Fastify handles what async handlers throw */
import Fastify, { type FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import type { LimiterConfig } from './config.ts';
import type { CheckResult, Limiter } from './limiter.ts';

const BODY_LIMIT_BYTES = 4_096;

/** What requests of a key have to hold. Fastify rejects others with 400. */
const KEY_ONLY = {
  type: 'object',
  required: ['key'],
  properties: { key: { type: 'string', pattern: '^[A-Za-z0-9][A-Za-z0-9._:@/-]{0,199}$' } },
} as const;

/** The server of one node; not listening yet. Closing it ends open connections as soon as they are idle. */
export function createHttpServer(config: LimiterConfig, limiter: Limiter, log: Logger): FastifyInstance {
  const app = Fastify({
    bodyLimit: BODY_LIMIT_BYTES,
    // Longer than load balancers and clients keep idle connections, so that they close first.
    keepAliveTimeout: 72_000,
    requestTimeout: 30_000,
    forceCloseConnections: 'idle',
    return503OnClosing: false,
  });
  app.removeContentTypeParser('text/plain');
  app.addHook('onError', async (_request, _reply, error) => {
    if (error.statusCode === undefined) log.error({ err: error }, 'a request failed');
  });

  app.post<{ Body: { key: string } }>('/check', { schema: { body: KEY_ONLY } }, async ({ body }, reply) => {
    const result = await limiter.check(body.key);
    return await reply
      .code(result.allowed ? 200 : 429)
      .headers(rateLimitHeaders(result, config.windowMs, limiter.now()))
      .send(result);
  });

  app.get<{ Querystring: { key: string } }>(
    '/counter',
    { schema: { querystring: KEY_ONLY } },
    async ({ query }) => await limiter.counter(query.key),
  );

  app.get('/health', async (_request, reply) => {
    const isUp = await limiter.reachesRedis();
    return await reply.code(isUp ? 200 : 503).send({ status: isUp ? 'ok' : 'unavailable' });
  });

  // For a liveness probe: a restart does not bring Redis back, so Redis is not checked.
  app.get('/livez', async () => ({ status: 'ok' }));

  return app;
}

/** The headers of draft-ietf-httpapi-ratelimit-headers, in the form of Structured Fields, and `Retry-After`. */
function rateLimitHeaders(
  { allowed, limit, remaining, windowEndsAt }: CheckResult,
  windowMs: number,
  now: number,
): Record<string, string> {
  // Rounded up and at least 1: a caller that waits this long finds the next window.
  const seconds = (ms: number): number => Math.max(1, Math.ceil(ms / 1000));
  const reset = seconds(windowEndsAt - now);
  return {
    'ratelimit-policy': `"fixed-window";q=${limit};w=${seconds(windowMs)}`,
    ratelimit: `"fixed-window";r=${remaining};t=${reset}`,
    ...(allowed ? {} : { 'retry-after': String(reset) }),
  };
}

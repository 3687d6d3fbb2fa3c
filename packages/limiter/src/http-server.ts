/** The limiter's HTTP interface: routes, validation of requests, and the form of every response. */
/* oxlint-disable oxc/no-async-endpoint-handlers -- meant for Express 4; Fastify handles what async handlers throw */
import Fastify, { type FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import { z } from 'zod';
import type { LimiterConfig } from './config.ts';
import { LimiterError } from './errors.ts';
import type { CheckResult, Limiter } from './limiter.ts';

const BODY_LIMIT_BYTES = 4_096;

const KEY = z
  .string()
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9._:@/-]{0,199}$/,
    'a key has 1 to 200 characters out of A-Z a-z 0-9 . _ : @ / - and begins with a letter or digit',
  );
const KEY_ONLY = z.object({ key: KEY });

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
  const node = config.nodeId;

  app.post('/check', async (request, reply) => {
    const { key } = parse(KEY_ONLY, request.body);
    const result = await limiter.check(key);
    const { windowMs: _, ...body } = result;
    return await reply
      .code(result.allowed ? 200 : 429)
      .headers(rateLimitHeaders(result, limiter.now()))
      .send({ ...body, node });
  });

  app.get('/counter', async (request) => {
    const { windowMs: _, ...body } = await limiter.counter(parse(KEY_ONLY, request.query).key);
    return { ...body, node };
  });

  app.get('/health', async (_request, reply) => {
    const { redisConnected, pending } = await limiter.health();
    const status = redisConnected ? 'ok' : 'unavailable';
    return await reply
      .code(redisConnected ? 200 : 503)
      .send({ status, redisConnected, node, mode: config.mode, pending });
  });

  // For a liveness probe: a restart does not bring Redis back, so Redis is not checked.
  app.get('/livez', async () => ({ status: 'ok', node }));

  app.get('/metrics', async (_request, reply) => {
    const { registry } = limiter.metrics;
    return await reply.type(registry.contentType).send(await registry.metrics());
  });

  app.setNotFoundHandler(() => {
    throw new LimiterError('ROUTE_NOT_FOUND');
  });

  app.setErrorHandler(async (thrown, _request, reply) => {
    const error = toLimiterError(thrown);
    if (error.code === 'INTERNAL') log.error({ err: thrown }, 'a request failed');
    return await reply.code(error.status).send({ error: { code: error.code, message: error.message } });
  });

  return app;
}

/** The headers of draft-ietf-httpapi-ratelimit-headers, in the form of Structured Fields, and `Retry-After`. */
function rateLimitHeaders(
  { allowed, limit, remaining, windowEndsAt, windowMs }: CheckResult,
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

function parse<T>(schema: z.ZodType<T>, input: unknown): T {
  const result = schema.safeParse(input);
  if (result.success) return result.data;
  const problems = result.error.issues.map(({ path, message }) => [...path, message].join(': '));
  throw new LimiterError('INVALID_REQUEST', problems.join('; '));
}

function toLimiterError(thrown: unknown): LimiterError {
  if (thrown instanceof LimiterError) return thrown;
  if (!(thrown instanceof Error)) return new LimiterError('INTERNAL');
  const { code, statusCode } = thrown as Error & { code?: unknown; statusCode?: unknown };
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') return new LimiterError('BODY_TOO_LARGE');
  if (code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE') return new LimiterError('UNSUPPORTED_MEDIA_TYPE');
  // Other errors that Fastify finds in a request, such as a body that is not JSON.
  if (typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500) {
    return new LimiterError('INVALID_REQUEST', thrown.message);
  }
  return new LimiterError('INTERNAL', undefined, thrown);
}

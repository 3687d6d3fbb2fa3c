import rateLimit from '@fastify/rate-limit';
import fastify from 'fastify';
import { Redis } from 'ioredis';

const { HOST, PORT, REDIS_URL, LIMIT, WINDOW_SECONDS, TUNED, TIMEOUT_MS, SKIP_ON_ERROR } = process.env;

const redis = new Redis(REDIS_URL, {
  // As its documentation recommends.
  ...(TUNED === 'true' ? { connectTimeout: 500, maxRetriesPerRequest: 1 } : {}),
  ...(TIMEOUT_MS ? { commandTimeout: Number(TIMEOUT_MS) } : {}),
});
redis.on('error', (error) => console.error(error.message));

const app = fastify();
await app.register(rateLimit, {
  max: Number(LIMIT),
  timeWindow: Number(WINDOW_SECONDS) * 1000,
  redis,
  keyGenerator: (request) => request.headers['x-api-key'] ?? 'nobody',
  ...(SKIP_ON_ERROR ? { skipOnError: SKIP_ON_ERROR === 'true' } : {}),
});
app.get('/healthz', { config: { rateLimit: false } }, async () => 'ok');
app.get('/', async () => 'hello');
await app.listen({ host: HOST, port: Number(PORT) });

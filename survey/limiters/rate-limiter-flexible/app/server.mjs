import express from 'express';
import { Redis } from 'ioredis';
import { RateLimiterMemory, RateLimiterRedis, RLWrapperTimeouts } from 'rate-limiter-flexible';

const { HOST, PORT, REDIS_URL, LIMIT, WINDOW_SECONDS, TIMEOUT_MS, WRAPPER_TIMEOUT_MS } = process.env;
const { INSURANCE, BLOCK_IN_MEMORY } = process.env;

const redis = new Redis(REDIS_URL, {
  enableOfflineQueue: false,
  ...(TIMEOUT_MS ? { commandTimeout: Number(TIMEOUT_MS) } : {}),
});
redis.on('error', (error) => console.error(error.message));
const points = Number(LIMIT);
const duration = Number(WINDOW_SECONDS);
const inRedis = new RateLimiterRedis({
  storeClient: redis,
  points,
  duration,
  ...(INSURANCE === 'true' ? { insuranceLimiter: new RateLimiterMemory({ points, duration }) } : {}),
  ...(BLOCK_IN_MEMORY === 'true' ? { inMemoryBlockOnConsumed: points + 1 } : {}),
});
const limiter = WRAPPER_TIMEOUT_MS
  ? new RLWrapperTimeouts({ limiter: inRedis, timeoutMs: Number(WRAPPER_TIMEOUT_MS) })
  : inRedis;

const app = express();
app.get('/healthz', (_request, response) => response.send('ok'));
app.use(async (request, response, next) => {
  try {
    const { remainingPoints } = await limiter.consume(request.get('x-api-key') ?? 'nobody');
    response.set('X-RateLimit-Remaining', String(remainingPoints));
    next();
  } catch (rejection) {
    // An error is that of the store; all else says that the points are used up.
    if (rejection instanceof Error) next(rejection);
    else response.status(429).send('Too Many Requests');
  }
});
app.get('/', (_request, response) => response.send('hello'));
app.listen(Number(PORT), HOST);

import { serve } from '@hono/node-server';
import { Hono } from 'hono';
import { RedisStore, rateLimiter } from 'hono-rate-limiter';
import { createClient } from 'redis';

const { HOST, PORT, REDIS_URL, LIMIT, WINDOW_SECONDS, TIMEOUT_MS } = process.env;

const redis = createClient({
  url: REDIS_URL,
  ...(TIMEOUT_MS ? { commandOptions: { timeout: Number(TIMEOUT_MS) } } : {}),
});
redis.on('error', (error) => console.error(error.message));
await redis.connect();

const app = new Hono();
app.get('/healthz', (c) => c.text('ok'));
app.use(
  rateLimiter({
    windowMs: Number(WINDOW_SECONDS) * 1000,
    limit: Number(LIMIT),
    keyGenerator: (c) => c.req.header('x-api-key') ?? 'nobody',
    store: new RedisStore({
      // The store wants a client with the calls of a serverless one.
      client: {
        scriptLoad: (script) => redis.scriptLoad(script),
        evalsha: (sha, keys, args) => redis.evalSha(sha, { keys, arguments: args.map(String) }),
        decr: (key) => redis.decr(key),
        del: (key) => redis.del(key),
      },
    }),
  }),
);
app.get('/', (c) => c.text('hello'));
serve({ fetch: app.fetch, hostname: HOST, port: Number(PORT) });

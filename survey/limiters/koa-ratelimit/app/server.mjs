import { Redis } from 'ioredis';
import Koa from 'koa';
import rateLimit from 'koa-ratelimit';

const { HOST, PORT, REDIS_URL, LIMIT, WINDOW_SECONDS, TIMEOUT_MS } = process.env;

const db = new Redis(REDIS_URL, TIMEOUT_MS ? { commandTimeout: Number(TIMEOUT_MS) } : {});
db.on('error', (error) => console.error(error.message));

const app = new Koa();
app.use(async (ctx, next) => {
  if (ctx.path !== '/healthz') return await next();
  ctx.body = 'ok';
});
app.use(
  rateLimit({
    driver: 'redis',
    db,
    duration: Number(WINDOW_SECONDS) * 1000,
    max: Number(LIMIT),
    id: (ctx) => ctx.get('x-api-key'),
  }),
);
app.use((ctx) => {
  ctx.body = 'hello';
});
app.listen(Number(PORT), HOST);

import express from 'express';
import { rateLimit } from 'express-rate-limit';
import { Redis } from 'ioredis';
import { RedisStore } from 'rate-limit-redis';
import { createClient } from 'redis';

const { HOST, PORT, REDIS_URL, LIMIT, WINDOW_SECONDS } = process.env;
const { CLIENT, TIMEOUT_MS, SOCKET_TIMEOUT_MS, FAIL_OPEN, BY_ADDRESS } = process.env;

const app = express();
app.get('/healthz', (_request, response) => response.send('ok'));
app.use(
  rateLimit({
    windowMs: Number(WINDOW_SECONDS) * 1000,
    limit: Number(LIMIT),
    standardHeaders: true,
    legacyHeaders: false,
    // As it comes it goes by the source address.
    ...(BY_ADDRESS === 'true' ? {} : { keyGenerator: (request) => request.get('x-api-key') ?? 'nobody' }),
    passOnStoreError: FAIL_OPEN === 'true',
    store: new RedisStore({ sendCommand: await commandSender() }),
  }),
);
app.get('/', (_request, response) => response.send('hello'));
app.listen(Number(PORT), HOST);

async function commandSender() {
  const timeout = TIMEOUT_MS ? Number(TIMEOUT_MS) : undefined;
  if (CLIENT === 'ioredis') {
    const client = new Redis(REDIS_URL, timeout ? { commandTimeout: timeout } : {});
    client.on('error', (error) => console.error(error.message));
    return (...command) => client.call(...command);
  }
  const client = createClient({
    url: REDIS_URL,
    ...(timeout ? { commandOptions: { timeout } } : {}),
    ...(SOCKET_TIMEOUT_MS ? { socket: { socketTimeout: Number(SOCKET_TIMEOUT_MS) } } : {}),
  });
  client.on('error', (error) => console.error(error.message));
  await client.connect();
  return (...command) => client.sendCommand(command);
}

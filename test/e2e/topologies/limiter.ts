/**
 * The program of an API that limits its callers in a Redis of any topology, by ioredis. It fails closed: without an
 * answer of Redis in time, it answers 503. STORE is JSON: `cluster` has nodes of a Cluster, `redis` options of ioredis.
 * Of its two health checks, /ping needs Redis.
 */
import { createServer } from 'node:http';
import { Cluster, Redis, type RedisOptions } from 'ioredis';

const { LIMIT, PORT, STORE = '{}', WINDOW_SECONDS } = process.env;
const { cluster, redis } = JSON.parse(STORE) as {
  cluster?: { host: string; port: number }[];
  redis?: Omit<RedisOptions, 'replyMapping'>;
};

/** Shorter than callers wait; milliseconds. */
const GIVES_UP_MS = 400;
const RECONNECTS_MS = 50;
const COUNT = `local used = redis.call('INCR', KEYS[1])
if used == 1 then redis.call('EXPIRE', KEYS[1], ARGV[1]) end
return used`;

const store = cluster
  ? new Cluster(cluster, { redisOptions: { commandTimeout: GIVES_UP_MS } })
  : new Redis({
      ...redis,
      commandTimeout: GIVES_UP_MS,
      enableOfflineQueue: false,
      maxRetriesPerRequest: 0,
      retryStrategy: () => RECONNECTS_MS,
    });
store.on('error', (error) => process.stderr.write(`${error}\n`));

createServer((request, response) => {
  const { headers, url } = request;
  const caller = headers['x-api-key'];
  const used = async (): Promise<unknown> => {
    // A health check uses up no limit.
    if (url === '/ping') await store.ping();
    if (url === '/ping' || url === '/healthz' || typeof caller !== 'string') return 0;
    return await store.eval(COUNT, 1, `rl:${caller}`, WINDOW_SECONDS ?? '');
  };
  used().then(
    (count) => response.writeHead(Number(count) <= Number(LIMIT) ? 200 : 429).end(),
    () => response.writeHead(503).end(),
  );
}).listen(Number(PORT));
process.once('SIGTERM', () => process.exit(0));

/**
 * A rate limiter for tests in a separate thread, so that it continues while the process that tests it stands
 * still: INCR with a window, and no timeout for Redis. `workerData` has the port of Redis; it posts its own port.
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { parentPort, workerData } from 'node:worker_threads';
import { Redis } from 'ioredis';

const { limit, redisPort } = workerData as { readonly limit: number; readonly redisPort: number };
const COUNT = `local used = redis.call('INCR', KEYS[1]) redis.call('EXPIRE', KEYS[1], 60) return used`;
const store = new Redis({ host: '127.0.0.1', port: redisPort });
const server = createServer((request, response) => {
  const key = request.headers['x-caller'];
  const answer = async (): Promise<void> => {
    const used = typeof key === 'string' ? Number(await store.eval(COUNT, 1, `rl:${key}`)) : 0;
    response.writeHead(used <= limit ? 200 : 429).end();
  };
  answer().catch(() => response.writeHead(503).end());
}).listen(0, '127.0.0.1');
await once(server, 'listening');
// The rule is about windows of a browser.
// oxlint-disable-next-line unicorn/require-post-message-target-origin
parentPort?.postMessage((server.address() as AddressInfo).port);

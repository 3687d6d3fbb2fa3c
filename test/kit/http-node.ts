/** One node of a rate limiter that is known by HTTP only: it counts its callers in Redis, and fails closed. */
import { createServer, type ServerResponse } from 'node:http';
import { json } from 'node:stream/consumers';
import { TIMED_OUT, within } from '@chaosdemo/redis-faults/waiting';
import { Redis } from 'ioredis';
import { connectorFrom } from './connector-from.ts';
import type { HostedNode } from './hosted-limiters.ts';
import { WATCHED_AS } from './sentinels.ts';

/** What each caller may send, from its first request on. The window is longer than a run waits for it to end. */
export const HTTP_LIMIT = { requests: 10, windowSec: 120 } as const;

/** How long a request waits for Redis before it is answered with 503; milliseconds. */
const REDIS_WITHIN_MS = 200;

/** What Redis carries out later than its caller waits is void. */
const COUNT = `if redis.call('TIME')[1] - ARGV[1] > 1 then return redis.error_reply('late') end
  local used = redis.call('INCR', KEYS[1])
  if used == 1 then redis.call('EXPIRE', KEYS[1], ARGV[2]) end
  return used`;

/** Answers `POST /check` with `{"key": ...}` by 200, 429 or 503, and `GET /health`. */
export function startHttpNode({ host, port, redisPort, sentinels }: HostedNode): void {
  const { REDIS_PASSWORD: password, REDIS_USERNAME: username } = process.env;
  const redis = new Redis({
    ...(sentinels
      ? { sentinels: [...sentinels], name: WATCHED_AS, sentinelRetryStrategy: () => 100 }
      : // As a pod does.
        { host: '127.0.0.1', port: redisPort, Connector: connectorFrom(host) }),
    ...(username && password ? { username, password } : {}),
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    retryStrategy: () => 100,
  });
  redis.on('error', () => undefined);
  const inTime = async <T>(work: Promise<T>): Promise<T> => {
    const outcome = await within(work, REDIS_WITHIN_MS);
    if (outcome === TIMED_OUT) throw new Error('late');
    return outcome;
  };
  const check = async (key: string): Promise<boolean> => {
    const now = Math.floor(Date.now() / 1000);
    const counting = redis.eval(COUNT, 1, `rl:http:${key}`, now, HTTP_LIMIT.windowSec);
    return Number(await inTime(counting)) <= HTTP_LIMIT.requests;
  };
  const say = (response: ServerResponse, status: number, body: object): void => {
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  };
  const server = createServer((request, response) => {
    const answer = async (): Promise<void> => {
      if (request.method === 'GET') {
        await inTime(redis.ping());
        return say(response, 200, { healthy: true });
      }
      const { key } = (await json(request)) as { key: string };
      const allowed = await check(key);
      say(response, allowed ? 200 : 429, { allowed });
    };
    answer().catch(() => say(response, 503, {}));
  });
  // A client that reuses a connection must not find it closed: what disturbs it is the torture.
  server.keepAliveTimeout = 72_000;
  server.listen(port, host);
}

/** What the limiter's integration tests share: nodes on loopback addresses, their HTTP interface, an observer. */

import { LIMITER, startNode } from '@chaosdemo/limiter';
import { readSettings } from '@chaosdemo/settings';
import { type RedisServer, startRedis } from '@chaosdemo/testbed';
import { Redis } from 'ioredis';
import { pino } from 'pino';
import { until } from '../kit/until.ts';

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  /** The body as parsed JSON; a field that is missing reads as undefined. */
  readonly body: Record<string, unknown>;
}

/** The HTTP interface of one node. */
export class PodClient {
  readonly address: string;

  constructor(address: string) {
    this.address = address;
  }

  async call(method: string, path: string, body?: unknown): Promise<Answer> {
    const response = await fetch(`http://${this.address}${path}`, {
      method,
      signal: AbortSignal.timeout(30_000),
      ...(body === undefined
        ? {}
        : {
            headers: { 'content-type': 'application/json' },
            body: typeof body === 'string' ? body : JSON.stringify(body),
          }),
    });
    const text = await response.text();
    const json: unknown = text.startsWith('{') || text.startsWith('[') ? JSON.parse(text) : {};
    return { status: response.status, headers: response.headers, body: asRecord(json) };
  }

  async check(key: string): Promise<Answer> {
    return await this.call('POST', '/check', { key });
  }

  /** The key of Redis at which the count of a caller is. */
  async redisKeyOf(key: string): Promise<string> {
    const { status, body } = await this.call('GET', `/counter?key=${key}`);
    if (status !== 200) throw new Error(`GET /counter answered ${status}`);
    return String(body['redisKey']);
  }
}

export interface Cluster {
  readonly nodes: readonly PodClient[];
  stop(): Promise<void>;
}

/** Three nodes in this process, at 127.0.0.2 to 127.0.0.4, over a separate Redis. */
export async function startCluster(env: Readonly<Record<string, string>> = {}): Promise<Cluster> {
  const redis = await startRedis();
  const running = await Promise.all(
    [2, 3, 4].map(async (i) => {
      const ip = `127.0.0.${i}`;
      const ports = { HOST: ip, POD_IP: ip, PORT: '0', REDIS_PORT: String(redis.port) };
      const config = readSettings(LIMITER, [], {
        ...ports,
        NODE_ID: `node-${i}`,
        ...env,
      });
      if (config === 'help') throw new Error('unreachable: no flags');
      return { ip, ...(await startNode(config, pino({ level: 'silent' }))) };
    }),
  );
  const nodes = running.map(({ ip, port }) => new PodClient(`${ip}:${port}`));
  await connected(nodes);
  return {
    nodes,
    stop: async () => {
      await Promise.all(running.map(async (node) => await node.stop()));
      await redis.stop();
    },
  };
}

/** Waits until every node reaches Redis. */
export async function connected(nodes: readonly PodClient[]): Promise<void> {
  for (const node of nodes) await until(async () => (await node.call('GET', '/health')).status === 200);
}

/** A connection of the test; it waits for a Redis that restarts. */
export function observe(redis: RedisServer): Redis {
  const observer = new Redis({ host: redis.host, port: redis.port, retryStrategy: () => 50 });
  observer.on('error', () => undefined);
  return observer;
}

/** Sum of what Redis counted in a window. */
export async function countedIn(observer: Redis, redisKey: string): Promise<number> {
  return Object.values(await observer.hgetall(redisKey)).reduce((sum, count) => sum + Number(count), 0);
}

function asRecord(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? Object.fromEntries(Object.entries(value)) : {};
}

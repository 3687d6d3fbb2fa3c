import { once } from 'node:events';
import { createServer } from 'node:http';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { RedisConnections } from '../../../redis/client/redis-client.ts';
import { sampleCounters } from './counter-sample.ts';
import { LimiterClient, LimiterClientError } from './limiter-client.ts';

/** A node that answers `GET /counter` with this name of the hash. */
async function nodeNaming(name: string, redisKey: string): Promise<LimiterClient> {
  const body = JSON.stringify({ admitted: 3, redisKey, windowId: 'w', windowEndsAt: 1 });
  const server = createServer((_, response) => void response.end(body)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const client = new LimiterClient({ name, host: '127.0.0.1', port }, 5000, 1);
  onTestFinished(() => {
    client.close();
    server.closeAllConnections();
    server.close();
  });
  return client;
}

/** What is read of Redis, in place of one: only the requested key matters. */
class ReadKeys {
  readonly keys: string[] = [];
  async hgetall(key: string): Promise<Record<string, string>> {
    this.keys.push(key);
    return { a: '2', b: '1' };
  }
}

async function sample(redisKeys: readonly string[]) {
  const read = new ReadKeys();
  const clients = await Promise.all(redisKeys.map((key, index) => nodeNaming(`rl-${index}`, key)));
  const window = { key: 'demo-a', windowId: 'w' };
  const signal = new AbortController().signal;
  const found = await sampleCounters(clients, read as unknown as RedisConnections, window, Date.now, signal);
  return { ...found, read: read.keys };
}

describe('a sample of the counters', () => {
  it('a sample distinguishes a pod without a free file descriptor from a silent one', async () => {
    const clients = (['NOT_SENT', 'UNREACHABLE'] as const).map(
      (failure, i) =>
        ({
          name: `rl-${i}`,
          counter: async () => await Promise.reject(new LimiterClientError(failure, failure)),
        }) as unknown as LimiterClient,
    );
    const window = { key: 'demo-a', windowId: 'w' };
    const read = new ReadKeys() as unknown as RedisConnections;
    const found = await sampleCounters(clients, read, window, Date.now, new AbortController().signal);
    expect(found).toMatchObject({ notQueried: ['rl-0'], improper: [] });
    expect(found.problems).toEqual(['NOT_SENT', 'UNREACHABLE']);
  });

  it('reads the one hash that the nodes name', async () => {
    const { problems, read, stored } = await sample(['rl:demo-a:1', 'rl:demo-a:1']);
    expect({ problems, read, stored }).toEqual({ problems: [], read: ['rl:demo-a:1'], stored: 3 });
  });

  it('reads none if a node names the Redis key of another key', async () => {
    const { problems, read, stored } = await sample(['session:17']);
    expect({ read, stored }).toEqual({ read: [], stored: undefined });
    expect(problems).toEqual([expect.stringMatching(/not hold .*demo-a,/)]);
  });

  it('reads none if the nodes do not agree, and reports that', async () => {
    const { problems, read, stored } = await sample(['rl:demo-a:1', 'rl:demo-a:2']);
    expect({ read, stored }).toEqual({ read: [], stored: undefined });
    expect(problems).toEqual([expect.stringMatching(/ 2 different hashes .*demo-a$/)]);
  });
});

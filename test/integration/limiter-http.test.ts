import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../kit/until.ts';
import { type Cluster, defineEverywhere, startCluster } from './limiter-support.ts';

let cluster: Cluster;
beforeAll(async () => {
  cluster = await startCluster({ LIMITER_WRITE_TIMEOUT: '10s' });
});
afterAll(async () => await cluster?.stop());

const errorCode = (body: Record<string, unknown>): unknown => JSON.parse(JSON.stringify(body)).error?.code;

describe('defining, checking and removing a limit', () => {
  it('a new key gets 201, a known one 200 with its new limit, on every pod', async () => {
    const [first] = cluster.nodes;
    const created = await first?.define('fresh', 3, 60);
    expect(created?.status).toBe(201);
    expect(created?.body).toEqual({
      key: 'fresh',
      limit: 3,
      window_sec: 60,
      windowEndsAt: expect.any(Number),
      node: 'node-2',
    });
    const replaced = await first?.define('fresh', 5, 30);
    expect(replaced?.status).toBe(200);
    for (const node of cluster.nodes) {
      await until(async () => {
        const { body } = await node.call('GET', '/limit?key=fresh');
        return body['window_sec'] === 30 && body['limit'] === 5;
      });
    }
  });

  it('admits up to the limit and then answers 429 with the RateLimit headers', async () => {
    await defineEverywhere(cluster.nodes, 'three', 3, 120);
    const [, node] = cluster.nodes;
    for (const remaining of [2, 1, 0]) {
      const answer = await node?.check('three');
      expect(answer?.status).toBe(200);
      expect(answer?.body).toMatchObject({
        allowed: true,
        limit: 3,
        remaining,
        node: 'node-3',
        key: 'three',
      });
      expect(answer?.headers.get('ratelimit-policy')).toBe('"fixed-window";q=3;w=120');
      expect(answer?.headers.get('ratelimit')).toMatch(new RegExp(`^"fixed-window";r=${remaining};t=\\d+$`));
      expect(answer?.headers.has('retry-after')).toBe(false);
    }
    const denied = await node?.check('three');
    expect(denied?.status).toBe(429);
    expect(denied?.body).toMatchObject({ allowed: false, remaining: 0, limit: 3 });
    const wait = Number(denied?.headers.get('retry-after'));
    expect(wait).toBeGreaterThan(0);
    expect(wait).toBeLessThanOrEqual(120);
    expect(denied?.headers.get('ratelimit')).toBe(`"fixed-window";r=0;t=${wait}`);
  });

  it('a key without a limit has that of the configuration', async () => {
    const [a] = cluster.nodes;
    await defineEverywhere(cluster.nodes, 'gone', 1);
    const removed = await a?.call('DELETE', '/limit?key=gone');
    expect([removed?.status, removed?.body]).toEqual([200, { key: 'gone', deleted: true, node: 'node-2' }]);
    for (const node of cluster.nodes) {
      await until(async () => (await node.call('GET', '/limit?key=gone')).body['limit'] === 10);
    }
    const again = await a?.call('DELETE', '/limit?key=gone');
    expect([again?.status, errorCode(again?.body ?? {})]).toEqual([404, 'LIMIT_UNKNOWN']);
    expect((await a?.define('gone', 1))?.status).toBe(201);
  });

  it('no limit is defined while writes to Redis stall, then or later; reads work', async () => {
    const hasty = await startCluster({ LIMITER_WRITE_TIMEOUT: '500ms' });
    try {
      await defineEverywhere(hasty.nodes, 'held', 7);
      const [a, b] = hasty.nodes;
      await hasty.observer.client('PAUSE', 60_000, 'WRITE');
      const refused = await a?.define('held', 1);
      expect([refused?.status, errorCode(refused?.body ?? {})]).toEqual([503, 'REDIS_WRITE_TIMEOUT']);
      const kept = await a?.call('DELETE', '/limit?key=held');
      expect([kept?.status, errorCode(kept?.body ?? {})]).toEqual([503, 'REDIS_WRITE_TIMEOUT']);
      expect((await b?.check('held'))?.status).toBe(200);
      expect((await b?.call('GET', '/health'))?.status).toBe(200);
      await hasty.observer.client('UNPAUSE');
      // A write of the same connection that comes after the held ones proves that those have run.
      await defineEverywhere(hasty.nodes, 'after', 1);
      expect(await hasty.observer.hget('rl:limit:held', 'limit')).toBe('7');
    } finally {
      await hasty.stop();
    }
  });
});

describe('what is not a proper request', () => {
  it.each([
    ['POST', '/check', {}, 400, 'INVALID_REQUEST'],
    ['POST', '/check', 'not json', 400, 'INVALID_REQUEST'],
    ['POST', '/check', { key: 'a b' }, 400, 'INVALID_REQUEST'],
    ['POST', '/check', { key: 'x'.repeat(201) }, 400, 'INVALID_REQUEST'],
    ['POST', '/check', { key: 'x'.repeat(5_000) }, 413, 'BODY_TOO_LARGE'],
    ['POST', '/limit', { key: 'a', limit: -1, window_sec: 1 }, 400, 'INVALID_REQUEST'],
    ['POST', '/limit', { key: 'a', limit: 1.5, window_sec: 1 }, 400, 'INVALID_REQUEST'],
    ['POST', '/limit', { key: 'a', limit: 1, window_sec: 0 }, 400, 'INVALID_REQUEST'],
    ['GET', '/limit', undefined, 400, 'INVALID_REQUEST'],
    ['PUT', '/check', { key: 'a' }, 404, 'ROUTE_NOT_FOUND'],
  ])('%s %s %j is answered with %i %s', async (method, path, body, status, code) => {
    const answer = await cluster.nodes[0]?.call(method, path, body);
    expect([answer?.status, errorCode(answer?.body ?? {})]).toEqual([status, code]);
  });
});

describe('what a node says of itself', () => {
  it('is healthy while Redis answers', async () => {
    const answer = await cluster.nodes[2]?.call('GET', '/health');
    expect(answer?.status).toBe(200);
    expect(answer?.body).toEqual({
      status: 'ok',
      redisConnected: true,
      node: 'node-4',
      mode: 'approximate',
      pending: expect.any(Number),
    });
    expect((await cluster.nodes[2]?.call('GET', '/livez'))?.status).toBe(200);
  });

  it('counts its checks by result', async () => {
    await defineEverywhere(cluster.nodes, 'metered', 1);
    const [node] = cluster.nodes;
    const read = async (result: string): Promise<number> => {
      const text = await (await fetch(`http://${node?.address}/metrics`)).text();
      const line = text
        .split('\n')
        .find((line) => line.startsWith('ratelimiter_checks_total') && line.includes(`"${result}"`));
      return Number(line?.split(' ').at(-1) ?? 0);
    };
    const before = [await read('allowed'), await read('denied')];
    await node?.check('metered');
    await node?.check('metered');
    const after = [await read('allowed'), await read('denied')];
    expect(after.map((count, i) => count - (before[i] ?? 0))).toEqual([1, 1]);
  });
});

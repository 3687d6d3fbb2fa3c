import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Cluster, startCluster } from './limiter-support.ts';

let cluster: Cluster;
beforeAll(async () => {
  cluster = await startCluster({ LIMITER_LIMIT: '3', LIMITER_WINDOW: '120s' });
});
afterAll(async () => await cluster?.stop());

const errorCode = (body: Record<string, unknown>): unknown => JSON.parse(JSON.stringify(body)).error?.code;

it('checks are admitted up to the limit, then answered 429 with RateLimit headers', async () => {
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

it.each([
  ['POST', '/check', {}, 400, 'INVALID_REQUEST'],
  ['POST', '/check', 'not json', 400, 'INVALID_REQUEST'],
  ['POST', '/check', { key: 'a b' }, 400, 'INVALID_REQUEST'],
  ['POST', '/check', { key: 'x'.repeat(201) }, 400, 'INVALID_REQUEST'],
  ['POST', '/check', { key: 'x'.repeat(5_000) }, 413, 'BODY_TOO_LARGE'],
  ['GET', '/counter', undefined, 400, 'INVALID_REQUEST'],
  ['PUT', '/check', { key: 'a' }, 404, 'ROUTE_NOT_FOUND'],
])('an improper request %s %s %j is answered with %i %s', async (method, path, body, status, code) => {
  const answer = await cluster.nodes[0]?.call(method, path, body);
  expect([answer?.status, errorCode(answer?.body ?? {})]).toEqual([status, code]);
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
    const [node] = cluster.nodes;
    const read = async (result: string): Promise<number> => {
      const text = await (await fetch(`http://${node?.address}/metrics`)).text();
      const line = text
        .split('\n')
        .find((line) => line.startsWith('ratelimiter_checks_total') && line.includes(`"${result}"`));
      return Number(line?.split(' ').at(-1) ?? 0);
    };
    const before = [await read('allowed'), await read('denied')];
    for (let i = 0; i < 5; i += 1) await node?.check('metered');
    const after = [await read('allowed'), await read('denied')];
    expect(after.map((count, i) => count - (before[i] ?? 0))).toEqual([3, 2]);
  });
});

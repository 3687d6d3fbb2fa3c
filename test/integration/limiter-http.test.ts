import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Cluster, startCluster } from './limiter-support.ts';

let cluster: Cluster;
beforeAll(async () => {
  cluster = await startCluster({ LIMITER_LIMIT: '3', LIMITER_WINDOW: '120s' });
});
afterAll(async () => await cluster?.stop());

it('checks are admitted up to the limit, then answered 429 with RateLimit headers', async () => {
  const [, node] = cluster.nodes;
  for (const remaining of [2, 1, 0]) {
    const answer = await node?.check('three');
    expect(answer?.status).toBe(200);
    expect(answer?.body).toMatchObject({ allowed: true, limit: 3, remaining, key: 'three' });
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
  ['POST', '/check', {}, 400],
  ['POST', '/check', 'not json', 400],
  ['POST', '/check', { key: 'a b' }, 400],
  ['POST', '/check', { key: 'x'.repeat(201) }, 400],
  ['POST', '/check', { key: 'x'.repeat(5_000) }, 413],
  ['GET', '/counter', undefined, 400],
  ['PUT', '/check', { key: 'a' }, 404],
])('an improper request %s %s %j is answered with %i', async (method, path, body, status) => {
  const answer = await cluster.nodes[0]?.call(method, path, body);
  expect([answer?.status, answer?.body['statusCode']]).toEqual([status, status]);
});

it('a node is healthy while Redis answers', async () => {
  const answer = await cluster.nodes[2]?.call('GET', '/health');
  expect(answer?.status).toBe(200);
  expect(answer?.body).toEqual({ status: 'ok' });
  expect((await cluster.nodes[2]?.call('GET', '/livez'))?.status).toBe(200);
});

/** A reset of the counter of one key on real limiters and a real Redis; without a fault, so in no real time. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { SubjectEffect } from '../../src/demo/effects.ts';
import type { RemedyReport } from '../../src/demo/observed.ts';
import { type PodTarget, REDIS_ACL } from '../../src/subjects/ratelimiter/index.ts';
import { DrivenLimiter, limiterSpec, PERMITTED } from '../kit/driven-limiter.ts';
import { NodesOnRedis, userLine } from '../kit/nodes-on-redis.ts';
import { until } from '../kit/until.ts';

const SPEC = limiterSpec({ limit: { requests: 10, window: '1h' }, health: { timeout: '30s' } }, [
  { name: 'ghosts', type: 'GhostAllowing', expect: 'Violated' },
]);

let ground: NodesOnRedis;
let nodes: PodTarget[];
const drivers: DrivenLimiter[] = [];

beforeAll(async () => {
  ground = await NodesOnRedis.start(['approximate'], [userLine('operator', REDIS_ACL)]);
  nodes = ground.nodes();
});
afterAll(() => ground?.stop());
afterEach(async () => {
  await Promise.all(drivers.splice(0).map((driver) => driver.close()));
});

let made = 0;

/** A driver, and a key of the demo with a limit of 10 on every node. */
async function ready(targets = nodes): Promise<{ driver: DrivenLimiter; key: string }> {
  const driver = new DrivenLimiter({ pods: targets, redis: ground.target('operator'), spec: SPEC });
  drivers.push(driver);
  const key = `demo-remedy-${process.pid}-${(made += 1)}`;
  await post(0, '/limit', { key, limit: 10, window_sec: 3600 });
  for (const i of nodes.keys())
    await until(async () => (await get(i, `/limit?key=${key}`)).status === 200, { what: 'the key' });
  return { driver, key };
}

const get = async (i: number, path: string): Promise<Response> =>
  await fetch(`http://${nodes[i]?.host}:${nodes[i]?.port}${path}`);

async function post(i: number, path: string, body: object): Promise<number> {
  const headers = { 'content-type': 'application/json' };
  const url = `http://${nodes[i]?.host}:${nodes[i]?.port}${path}`;
  return (await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) })).status;
}

/** Uses the limit up: sends requests to one node until it rejects one. Returns how many it admitted. */
async function exhaustLimit(key: string): Promise<number> {
  let allowed = 0;
  while ((await post(0, '/check', { key })) === 200) allowed += 1;
  const counted = async (): Promise<boolean> =>
    (
      await Promise.all(
        (
          await ground.observer.keys(`rl:win:${key}:*`)
        ).map(async (name) => await ground.observer.hvals(name)),
      )
    )
      .flat()
      .reduce((sum, count) => sum + Number(count), 0) === allowed;
  await until(counted, { what: 'Redis to hold the counts' });
  return allowed;
}

async function passOn(node: PodTarget, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const { method = 'GET', url = '/' } = request;
  const headers = { 'content-type': 'application/json' };
  const sent = chunks.length > 0 ? { headers, body: Buffer.concat(chunks) } : {};
  const answer = await fetch(`http://${node.host}:${node.port}${url}`, { method, ...sent });
  response.writeHead(answer.status, headers).end(await answer.text());
}

/** The nodes behind servers that answer themselves where `lie` returns true, and else say what the nodes say. */
async function lying(
  lie: (request: IncomingMessage, response: ServerResponse) => boolean,
): Promise<PodTarget[]> {
  return await Promise.all(
    nodes.map(async (node) => {
      const server = createServer((request, response) => {
        if (!lie(request, response)) void passOn(node, request, response);
      }).listen(0, node.host);
      await once(server, 'listening');
      onTestFinished(() => {
        server.closeAllConnections();
        server.close();
      });
      return { ...node, port: (server.address() as AddressInfo).port };
    }),
  );
}

const definition = async (key: string): Promise<Record<string, string>> =>
  await ground.observer.hgetall(`rl:limit:${key}`);
const figures = (some: RemedyReport['after'] = []): Record<string, number> =>
  Object.fromEntries(some.map(({ name, value }) => [name, value]));

async function remedied(
  driver: DrivenLimiter,
  fixture: string,
  { permit = PERMITTED, signal = new AbortController().signal, withinMs = 30_000 } = {},
): Promise<RemedyReport> {
  const effect: SubjectEffect = {
    kind: 'Remediate',
    id: 'r',
    fixture,
    until: Date.now() + withinMs,
  };
  const finding = await driver.perform(effect, permit, signal);
  if (finding.kind !== 'Remedied') throw new Error(`it found ${finding.kind}`);
  return finding.report;
}

describe('a reset', () => {
  it('a reset admits requests after the limit was used up, with counts of both', async () => {
    const { driver, key } = await ready();
    const used = await exhaustLimit(key);
    expect(await post(0, '/check', { key })).toBe(429);
    const { after, before, message, state } = await remedied(driver, key);
    expect([state, figures(before), figures(after)]).toEqual([
      'Applied',
      { limit: 10, admitted: used, stored: used },
      { limit: 10, admitted: 3, stored: 3 },
    ]);
    expect(message).toMatch(new RegExp(`^A new window of ${key} .*\\. Before, .* 3 of 3 requests`));
    expect(await post(0, '/check', { key })).toBe(200);
  });

  it('does nothing if nothing is counted, or the key is gone', async () => {
    const { driver, key } = await ready();
    const before = await definition(key);
    expect(await remedied(driver, key)).toMatchObject({
      state: 'NotApplied',
      message: expect.stringMatching(/^Nothing .*: .*nothing to reset/) as string,
    });
    expect(await definition(key)).toEqual(before);
    expect(await remedied(driver, `${key}-other`)).toMatchObject({
      state: 'NotApplied',
      message: expect.stringMatching(/not know the key/) as string,
    });
  });
});

describe('a remedy sends nothing', () => {
  it.each<[string, Parameters<typeof remedied>[2], RegExp]>([
    [
      'where its permit is gone',
      { permit: { refusal: () => 'this operator no longer leads' } },
      /no longer leads/,
    ],
    ['once its time is over', { withinMs: 0 }, /its time was over/],
    [
      'once the run is restored',
      { signal: AbortSignal.abort(new Error('the run is being restored')) },
      /being restored/,
    ],
  ])('%s', async (_, how, why) => {
    const { driver, key } = await ready();
    await exhaustLimit(key);
    const before = await definition(key);
    expect(await remedied(driver, key, how)).toEqual({
      state: 'NotApplied',
      message: expect.stringMatching(why) as string,
    });
    expect(await definition(key)).toEqual(before);
  });

  it('for a key that is not of the demo', async () => {
    const { driver } = await ready();
    const key = `customer-${process.pid}`;
    await post(0, '/limit', { key, limit: 10, window_sec: 3600 });
    await exhaustLimit(key);
    const before = await definition(key);
    expect((await remedied(driver, key)).message).toMatch(/not set up .*demo/);
    expect(await definition(key)).toEqual(before);
    await fetch(`http://${nodes[0]?.host}:${nodes[0]?.port}/limit?key=${key}`, { method: 'DELETE' });
  });
});

it('a reset is stopped halfway by a restore, which removes the key, without effect', async () => {
  const { driver, key } = await ready();
  await exhaustLimit(key);
  const stop = new AbortController();
  // The permit is checked right before the limit is defined.
  const permit = {
    refusal: () => {
      queueMicrotask(() => stop.abort(new Error('the run is being restored')));
      return undefined;
    },
  };
  const report = await remedied(driver, key, { permit, signal: stop.signal });
  expect(report).toMatchObject({
    state: 'Unproven',
    message: expect.stringMatching(/result .*not known: .*restored/) as string,
  });
  await driver.perform({ kind: 'Restore', id: 'x', fixtures: [key], release: true });
  expect(await definition(key)).not.toHaveProperty('limit');
});

describe('a limiter that is not in order', () => {
  it('a remedy ends in its time if the limiter does not answer', async () => {
    let silent = false;
    const { driver, key } = await ready(
      await lying(({ method, url }) => silent && method === 'POST' && url === '/limit'),
    );
    await exhaustLimit(key);
    silent = true;
    const from = performance.now();
    const report = await remedied(driver, key, { withinMs: 1000 });
    expect(performance.now() - from).toBeLessThan(3500);
    expect(report).toMatchObject({
      state: 'Unproven',
      message: expect.stringMatching(/was sent .*time .*over/) as string,
    });
  });

  it('a reset did not help if the limiter then rejects every request', async () => {
    let rejects = false;
    const { driver, key } = await ready(
      await lying(({ url }, response) => {
        if (!rejects || url !== '/check') return false;
        response.writeHead(429, { 'content-type': 'application/json' });
        void definition(key).then(({ generation }) =>
          response.end(JSON.stringify({ allowed: false, windowId: `${generation}-0`, windowEndsAt: 0 })),
        );
        return true;
      }),
    );
    await exhaustLimit(key);
    rejects = true;
    const { after, state } = await remedied(driver, key);
    expect([state, figures(after)]).toEqual(['Ineffective', { limit: 10, admitted: 0, stored: 0 }]);
  });

  it('is not set a limit that it names itself: what the spec says, or nothing', async () => {
    const { driver, key } = await ready(
      await lying(({ method, url }, response) => {
        if (method !== 'GET' || !url?.startsWith('/limit')) return false;
        void definition(key).then(({ generation }) =>
          response
            .writeHead(200, { 'content-type': 'application/json' })
            .end(JSON.stringify({ limit: 1_000_000, windowId: `${generation}-0`, windowEndsAt: 0 })),
        );
        return true;
      }),
    );
    await exhaustLimit(key);
    const before = await definition(key);
    expect(await remedied(driver, key)).toMatchObject({
      state: 'NotApplied',
      message: expect.stringMatching(/limit 1000000 .*, .*spec .* 10/) as string,
    });
    expect(await definition(key)).toEqual(before);
  });
});

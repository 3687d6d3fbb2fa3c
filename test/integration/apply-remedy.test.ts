/** What a remedy does to a key, and measures, on real limiters and a real Redis; without a fault, so in no real time. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { SubjectEffect } from '../../src/demo/effects.ts';
import type { RemedyReport } from '../../src/demo/observed.ts';
import { type NodeTarget, REDIS_ACL } from '../../src/subjects/ratelimiter/index.ts';
import { DrivenLimiter, limiterSpec, PERMITTED } from '../kit/driven-limiter.ts';
import { NodesOnRedis, userLine } from '../kit/nodes-on-redis.ts';
import { until } from '../kit/until.ts';

type Order = Omit<Extract<SubjectEffect, { kind: 'Remediate' }>, 'kind' | 'id' | 'fixture' | 'until'>;

const RESET: Order = { remedy: 'ResetCounter' };
const CHANGE: Order = { remedy: 'ChangeLimit', limit: { min: 1, max: 9 } };
const SPEC = limiterSpec({ limit: { requests: 10, window: '1h' }, health: { timeout: '30s' } }, [
  { name: 'ghosts', type: 'GhostAllowing', expect: 'Violated' },
]);

let ground: NodesOnRedis;
let nodes: NodeTarget[];
const drivers: DrivenLimiter[] = [];

beforeAll(async () => {
  ground = await NodesOnRedis.start(['approximate', 'strict'], [userLine('operator', REDIS_ACL)]);
  nodes = ground.nodes();
});
afterAll(() => ground?.stop());
afterEach(async () => {
  await Promise.all(drivers.splice(0).map((driver) => driver.close()));
});

let made = 0;

/** A driver, and a key of the demo with a limit of 10 on every node. */
async function ready(targets = nodes): Promise<{ driver: DrivenLimiter; key: string }> {
  const driver = new DrivenLimiter({ nodes: targets, redis: ground.target('operator'), spec: SPEC });
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

/** Uses the limit up: asks one node until it denies. Returns how many it allowed. */
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

async function passOn(node: NodeTarget, request: IncomingMessage, response: ServerResponse): Promise<void> {
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
): Promise<NodeTarget[]> {
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
const limitOn = async (i: number, key: string): Promise<number> =>
  ((await (await get(i, `/limit?key=${key}`)).json()) as { limit: number }).limit;
const figures = (some: RemedyReport['after'] = []): Record<string, number> =>
  Object.fromEntries(some.map(({ name, value }) => [name, value]));

async function remedied(
  driver: DrivenLimiter,
  fixture: string,
  order: Order,
  { permit = PERMITTED, signal = new AbortController().signal, withinMs = 30_000 } = {},
): Promise<RemedyReport> {
  const effect: SubjectEffect = {
    kind: 'Remediate',
    id: 'r',
    fixture,
    until: Date.now() + withinMs,
    ...order,
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
    const { after, before, message, state } = await remedied(driver, key, RESET);
    expect([state, figures(before), figures(after)]).toEqual([
      'Applied',
      { limit: 10, admitted: used, stored: used },
      { limit: 10, admitted: 3, stored: 3 },
    ]);
    expect(message).toMatch(
      new RegExp(`^A fresh window of ${key} was started\\. Before, .* 3 of 3 requests were allowed`),
    );
    expect(await post(0, '/check', { key })).toBe(200);
  });

  it('does nothing where nothing is counted, or the key is gone', async () => {
    const { driver, key } = await ready();
    const before = await definition(key);
    expect(await remedied(driver, key, RESET)).toMatchObject({
      state: 'NotApplied',
      message: expect.stringMatching(/^Nothing was sent: there is nothing to reset/) as string,
    });
    expect(await definition(key)).toEqual(before);
    expect(await remedied(driver, `${key}-other`, RESET)).toMatchObject({
      state: 'NotApplied',
      message: expect.stringMatching(/does not know the key/) as string,
    });
  });
});

describe('a changed limit', () => {
  it('keeps three nodes that decide alone within the limit together, on every node', async () => {
    const { driver, key } = await ready();
    const { after, before, state } = await remedied(driver, key, CHANGE);
    expect([state, figures(before)['limit']]).toEqual(['Applied', 10]);
    expect(figures(before)['admitted']).toBeGreaterThan(10);
    expect(figures(after)['limit']).toBe(3);
    expect(figures(after)['admitted']).toBeGreaterThanOrEqual(3);
    expect(figures(after)['admitted']).toBeLessThanOrEqual(9);
    expect(await Promise.all([0, 1, 2].map(async (i) => await limitOn(i, key)))).toEqual([3, 3, 3]);
  });

  it('is not set once the lead is lost while the old one is measured', async () => {
    const { driver, key } = await ready();
    let asked = 0;
    const permit = { refusal: () => ((asked += 1) > 1 ? 'this operator no longer leads' : undefined) };
    expect(await remedied(driver, key, CHANGE, { permit })).toEqual({
      state: 'Unproven',
      message: `The limit of ${key} was not changed; at most a fresh window of it was begun: this operator no longer leads`,
    });
    expect(await limitOn(0, key)).toBe(10);
  });

  it('is not said to have helped where the old limit was kept just as well', async () => {
    const { driver, key } = await ready(ground.nodes('strict'));
    const { after, before, message, state } = await remedied(driver, key, CHANGE);
    expect([state, figures(before), figures(after)]).toEqual([
      'Unproven',
      { limit: 10, admitted: 10 },
      { limit: 3, admitted: 3 },
    ]);
    expect(message).toMatch(/was changed from 10 to 3\. .*: nothing shows that the change helped$/);
  });
});

describe('a remedy sends nothing', () => {
  it.each<[string, Order, Parameters<typeof remedied>[3], RegExp]>([
    [
      'beyond the bounds of the spec',
      { remedy: 'ChangeLimit', limit: { min: 4, max: 9 } },
      {},
      /a limit of 3 is needed/,
    ],
    [
      'where its permit is gone',
      RESET,
      { permit: { refusal: () => 'this operator no longer leads' } },
      /no longer leads/,
    ],
    ['once its time is over', RESET, { withinMs: 0 }, /its time was over/],
    [
      'once the run is restored',
      RESET,
      { signal: AbortSignal.abort(new Error('the run is being restored')) },
      /being restored/,
    ],
  ])('%s', async (_, order, how, why) => {
    const { driver, key } = await ready();
    await exhaustLimit(key);
    const before = await definition(key);
    expect(await remedied(driver, key, order, how)).toEqual({
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
    expect((await remedied(driver, key, RESET)).message).toMatch(/not set up on a key of the demo/);
    expect(await definition(key)).toEqual(before);
    await fetch(`http://${nodes[0]?.host}:${nodes[0]?.port}/limit?key=${key}`, { method: 'DELETE' });
  });
});

it('a reset is stopped halfway by a restore, which removes the key, without effect', async () => {
  const { driver, key } = await ready();
  await exhaustLimit(key);
  const stop = new AbortController();
  // The permit is asked right before the limit is defined.
  const permit = {
    refusal: () => {
      queueMicrotask(() => stop.abort(new Error('the run is being restored')));
      return undefined;
    },
  };
  const report = await remedied(driver, key, RESET, { permit, signal: stop.signal });
  expect(report).toMatchObject({
    state: 'Unproven',
    message: expect.stringMatching(/could not be measured: the run is being restored/) as string,
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
    const report = await remedied(driver, key, RESET, { withinMs: 1000 });
    expect(performance.now() - from).toBeLessThan(3500);
    expect(report).toMatchObject({
      state: 'Unproven',
      message: expect.stringMatching(/was sent for .* its time was over/) as string,
    });
  });

  it('a changed limit is no help if the limiter then rejects every request', async () => {
    let denies = false;
    const { driver, key } = await ready(
      await lying(({ url }, response) => {
        if (!denies || url !== '/check') return false;
        response.writeHead(429, { 'content-type': 'application/json' });
        void definition(key).then(({ generation }) =>
          response.end(JSON.stringify({ allowed: false, windowId: `${generation}-0`, windowEndsAt: 0 })),
        );
        return true;
      }),
    );
    await exhaustLimit(key);
    denies = true;
    expect(await remedied(driver, key, CHANGE)).toMatchObject({
      state: 'Ineffective',
      message: expect.stringMatching(/Of 20 requests at once it let 0 through before and 0 after/) as string,
    });
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
    expect(await remedied(driver, key, RESET)).toMatchObject({
      state: 'NotApplied',
      message: expect.stringMatching(/its limit is 1000000, and not the 10 of the spec/) as string,
    });
    expect(await definition(key)).toEqual(before);
  });
});

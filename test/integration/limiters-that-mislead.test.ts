/**
 * Limiters behind HTTP that were made to mislead: what is told of them is held against what they did. Plain servers of
 * the test's own over a real Redis, which give it up after a while, as people's limiters do.
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { type RedisServer, startRedis } from '../../src/local/redis-server.ts';
import { Supervisor } from '../../src/local/supervisor.ts';
import { DrivenLimiter, limiterSpec } from '../kit/driven-limiter.ts';
import { withoutRealTime } from '../kit/pace.ts';

const LIMIT = 10;
const PAUSE_MS = 3000;
/** Longer than the watch goes on after the pause. */
const SWITCHED_MS = 60_000;

/** Counts a request of this caller; rejects where Redis does not answer in time, and nothing is counted then. */
type Count = (key: string) => Promise<number>;
/** Whether a caller is let through. */
type Decide = (key: string, count: Count) => Promise<boolean>;

const supervisor = new Supervisor();
let redis: RedisServer;
beforeAll(async () => {
  redis = await startRedis({ supervisor });
});
afterAll(() => supervisor.close());

let runs = 0;

/** Three nodes that decide so, each by itself, and a driver of a run on them. */
async function driven(decide: () => Decide, accept: readonly string[]) {
  const nodes = await Promise.all([0, 1, 2].map(async (i) => await node(`api-${i}`, decide())));
  const storeOutage = { pause: '3s', callerTimeout: '500ms', requestsPerSecond: 10, settle: '2s', accept };
  const spec = limiterSpec(
    {
      interface: { type: 'HTTP', http: { request: { headers: [{ name: 'x-caller', value: '$(key)' }] } } },
      limit: { requests: LIMIT, window: '60s', algorithm: 'FixedWindow', windowStart: 'FirstRequest' },
    },
    [
      { name: 'outage', type: 'StoreOutage', storeOutage },
      { name: 'ghosts', type: 'GhostAllowing', ghostAllowing: { trials: 2, settle: '1s' } },
    ],
  );
  const { host, port } = redis;
  const driver = new DrivenLimiter({ nodes, redis: { podName: 'redis-0', host, port, tls: false }, spec });
  onTestFinished(() => driver.close());
  return { driver, key: `demo-mislead-${process.pid}-${(runs += 1)}` };
}

async function node(name: string, decide: Decide) {
  const store = new Redis({ host: redis.host, port: redis.port, commandTimeout: 150 });
  store.on('error', () => undefined);
  // What Redis carries out later than its caller waits is void.
  const script = `if redis.call('TIME')[1] - ARGV[1] > 1 then return redis.error_reply('late') end
    local used = redis.call('INCR', KEYS[1]) redis.call('EXPIRE', KEYS[1], 60) return used`;
  const count: Count = async (key) =>
    Number(await store.eval(script, 1, `rl:${key}`, Math.floor(Date.now() / 1000)));
  const server = createServer((request, response) => {
    const key = request.headers['x-caller'];
    const answer = async (): Promise<void> => {
      const yes = typeof key !== 'string' || (await decide(key, count));
      response.writeHead(yes ? 200 : 429).end();
    };
    answer().catch(() => response.writeHead(500).end());
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
    store.disconnect();
  });
  return { name, host: '127.0.0.1', port: (server.address() as AddressInfo).port };
}

/** Denies while Redis stalls; from the first answer after that on it lets everybody through for a minute. */
function opensAfterwards(): Decide {
  let stalled = false;
  let openUntil = 0;
  return async (key, count) => {
    if (Date.now() < openUntil) return true;
    try {
      const used = await count(key);
      if (stalled) openUntil = Date.now() + SWITCHED_MS;
      return stalled || used <= LIMIT;
    } catch {
      stalled = true;
      return false;
    }
  };
}

/** From the first request that Redis does not answer on it denies everybody for a minute, without asking. */
function staysShut(): Decide {
  let shutUntil = 0;
  return async (key, count) => {
    if (Date.now() < shutUntil) return false;
    return await count(key).then(
      (used) => used <= LIMIT,
      () => {
        shutUntil = Date.now() + SWITCHED_MS;
        return false;
      },
    );
  };
}

/** Remembers whom it denied, and lets everybody else through while Redis stalls. */
function remembersDenied(): Decide {
  const denied = new Set<string>();
  return async (key, count) => {
    if (denied.has(key)) return false;
    const yes = await count(key).then(
      (used) => used <= LIMIT,
      () => true,
    );
    if (!yes) denied.add(key);
    return yes;
  };
}

it.skipIf(withoutRealTime)(
  'a limiter that denies whoever used its limit up, and lets new callers through without bound, does not hold',
  { timeout: 60_000 },
  async () => {
    const { driver, key } = await driven(remembersDenied, ['Holds']);
    const reading = await driver.leadThrough('outage', key, PAUSE_MS);
    expect(reading).toMatchObject({ detectedAt: expect.any(Number), shortfalls: [] });
    expect(reading.summary).toMatch(/^FailsOpen, \d+ > 10$/);
    expect(reading.evidence.join('\n')).toContain(
      'Beyond the limit, of a caller that came to it in the pause: ',
    );
  },
);

describe.skipIf(withoutRealTime)(
  'a limiter whose switch stays on after the pause',
  { timeout: 120_000 },
  () => {
    it('is not said to keep its limit where it lets callers through then', async () => {
      const { driver, key } = await driven(opensAfterwards, ['FailsClosed']);
      const reading = await driver.leadThrough('outage', key, PAUSE_MS);
      expect(reading.summary).toBe('FailsClosed');
      expect(reading.detectedAt).toBeUndefined();
      expect(reading.shortfalls.join()).toMatch(
        /^after the pause the caller beyond its limit was let through \d+ times more than the limit allows/,
      );
      expect(reading.measures.map(({ name }) => name)).not.toContain('wellAfter');
    });

    it('is not said to have counted what it denies then', async () => {
      const { driver, key } = await driven(staysShut, ['FailsClosed']);
      const reading = await driver.leadThrough('outage', key, PAUSE_MS);
      expect(reading).toMatchObject({ summary: 'FailsClosed', shortfalls: [] });
      const recovery = await driver.recover('outage', key, 1000);
      expect(recovery).toMatchObject({ report: { measures: [] } });
      expect(JSON.stringify(recovery)).toContain('the accounts of 3 callers are not known');
    });
  },
);

it('a limiter that denies everybody by the time of a burst is not said to keep its limit', {
  timeout: 60_000,
}, async () => {
  // The two of the control in Setup: one uses its limit up, the other is new.
  const first = new Set<string>();
  const { driver, key } = await driven(
    () => async (caller, count) => {
      if (first.size < 2) first.add(caller);
      return first.has(caller) && (await count(caller)) <= LIMIT;
    },
    ['Holds'],
  );
  const reading = await driver.leadThrough('ghosts', key, 5000);
  expect(driver.observed.faults['f']).toMatchObject({ proof: 'Confirmed' });
  expect(reading.summary).toBe('0/10, 0/2 trials');
  expect(reading.shortfalls).toContain(
    'trial 1: only 0 of the 10 that the limit allows were let through, so nobody has seen what the rate limiter does at its limit',
  );
});

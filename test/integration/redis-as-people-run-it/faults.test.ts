/** Faults without a limiter, on each Redis: slow writes, and lost counts. */
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { type RedisServer, startRedis } from '../../../src/local/redis-server.ts';
import { REDIS_ACL } from '../../../src/subjects/ratelimiter/index.ts';
import { OwnPause } from '../../../src/subjects/redis/client/own-pause.ts';
import type { FaultTools, RecordEvent } from '../../../src/subjects/redis/faults/fault.ts';
import type { FaultOptions } from '../../../src/subjects/redis/faults/fault-type.ts';
import { type FaultName, mechanismOf } from '../../../src/subjects/redis/faults/index.ts';
import { PERMITTED } from '../../kit/driven-limiter.ts';
import { userLine } from '../../kit/nodes-on-redis.ts';
import { keepingTime, withoutRealTime } from '../../kit/pace.ts';
import { storeOf } from '../../kit/store.ts';

const LATENCY_MS = 300;
const COUNT = { key: 'rl:demo-x', type: 'String', pattern: 'rl:demo-*' } as const;

let server: RedisServer;
let stranger: Redis;
beforeAll(async () => {
  const rights = `${REDIS_ACL} +unlink ~rl:demo-* +script|flush`;
  server = await startRedis({ aclUsers: [userLine('operator', rights)] });
  stranger = new Redis({ host: server.host, port: server.port });
});
afterAll(async () => {
  stranger?.disconnect();
  await server?.stop();
});

/** Injects a fault for so long, and calls `during` in it. */
async function injected(type: FaultName, ms: number, during: () => Promise<void>) {
  const { host, port } = server;
  const login = { podName: 'redis-0', host, port, tls: false, username: 'operator', password: 'secret' };
  const redis = storeOf(login, 'faults');
  const over = new AbortController();
  onTestFinished(() => {
    over.abort();
    redis.close();
  });
  const tools: FaultTools = {
    redis,
    ownPause: new OwnPause(false),
    target: { pods: [], redis: [login] },
    usualWriteMs: () => 1,
    checkStore: async () => ({ state: 'free' }),
    findStore: async () => expect.unreachable(),
    now: () => Date.now(),
    lifetime: over.signal,
  };
  const options: FaultOptions = {
    lingerMs: 0,
    latencyMs: LATENCY_MS,
    counts: () => [COUNT],
    scripts: true,
    fixture: () => 'demo-x',
  };
  const fault = mechanismOf({ type }, false).create(tools, options);
  await fault.prepare(ms, over.signal);
  const record: RecordEvent = () => undefined;
  const moment = { plannedAt: Date.now(), until: Date.now() + ms };
  const listener = { record, doubted: () => undefined };
  const report = await fault.inject(moment, listener, PERMITTED, over.signal);
  expect(report).toMatchObject({ proof: 'Confirmed' });
  await during();
  return await fault.awaitEnd(record, over.signal);
}

/** How long a write of another client takes; milliseconds. */
async function write(): Promise<number> {
  const sentAt = performance.now();
  await stranger.incr('stranger');
  return performance.now() - sentAt;
}

describe('a fault of this Redis', () => {
  it.skipIf(withoutRealTime)('slows writes for its time, and then no more', (context) =>
    keepingTime(async () => {
      const took: number[] = [];
      const ended = await injected('Latency', 3000, async () => {
        for (let i = 0; i < 6; i += 1) took.push(await write());
      });
      expect(ended).toMatchObject({ proof: 'Confirmed' });
      const median = took.toSorted((a, b) => a - b)[3] ?? 0;
      expect(median).toBeGreaterThan(LATENCY_MS / 2);
      // Faster than in the fault.
      expect(await write()).toBeLessThan(median);
    })(context),
  );

  it('loses counts and scripts, and no other key', async () => {
    await stranger.mset(COUNT.key, 7, 'rl:demo-other', 3);
    const hash = String(await stranger.script('LOAD', 'return 1'));
    expect(await stranger.evalsha(hash, 0)).toBe(1);
    const ended = await injected('DataLoss', 100, async () => {
      expect(await stranger.mget(COUNT.key, 'rl:demo-other')).toEqual([null, '3']);
      await expect(stranger.evalsha(hash, 0)).rejects.toThrow(/NOSCRIPT/);
    });
    expect(ended).toMatchObject({ proof: 'Confirmed' });
  });
});

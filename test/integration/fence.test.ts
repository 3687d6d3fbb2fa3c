/** Which of several sessions a real Redis obeys. `npm run mutation` runs this file too, so it needs nothing but Redis. */
import { REDIS_ACL } from '@chaosdemo/redis-faults';
import { type RedisServer, startRedis } from '@chaosdemo/testbed';
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { boundedConnection } from '../../packages/redis-faults/src/client/bounded-connection.ts';
import { endOf, Fence, fenceKey, NotInChargeError } from '../../packages/redis-faults/src/client/fence.ts';
import { REDIS_TIMEOUT_MS } from '../../packages/redis-faults/src/client/redis-link.ts';
import { callsOf } from '../kit/calls-of.ts';
import { until } from '../kit/until.ts';

const PAUSE = ['CLIENT', 'PAUSE', '1', 'WRITE'] as const;
const PROBE = 'chaosdemo:probe:text';

let server: RedisServer;
let admin: Redis;
beforeAll(async () => {
  server = await startRedis({
    aclUsers: [`user operator on >secret ${REDIS_ACL}`, 'user outdated on >secret +@all -client|pause ~*'],
  });
});
afterAll(() => server.stop());

async function connect(username = 'default'): Promise<Redis> {
  const { host, port } = server;
  const target = { podName: 'redis-0', host, port, tls: false, username };
  const redis = boundedConnection(username === 'default' ? target : { ...target, password: 'secret' }, {
    connectTimeout: REDIS_TIMEOUT_MS,
  });
  await redis.connect();
  onTestFinished(() => redis.disconnect());
  return redis;
}

/** How often Redis was paused in this test; transactions count when they are carried out. */
const pauses = (): Promise<number> => callsOf(admin, 'client|pause');

beforeEach(async () => {
  admin = await connect();
  await admin.flushall();
  await admin.config('RESETSTAT');
});

/** Another session takes this Redis over. */
async function takeOver(): Promise<void> {
  await new Fence().takeCharge(await connect('operator'), 60_000);
}

describe('a session', () => {
  let fence: Fence;
  let control: Redis;
  beforeEach(async () => {
    fence = new Fence();
    control = await connect('operator');
    await fence.takeCharge(await connect('operator'), 59_999.5);
  });

  const pause = async (commands: Parameters<Fence['carryOut']>[2] = [PAUSE]): Promise<readonly unknown[]> => {
    await fence.begin(control);
    return await fence.carryOut(control, 'CLIENT PAUSE', commands);
  };

  it('in charge has its commands carried out, with replies in order', async () => {
    expect(await pause([['SET', PROBE, 'text'], ['GET', PROBE], PAUSE])).toEqual(['OK', 'text', 'OK']);
    expect(await pauses()).toBe(1);
    expect(await admin.pttl(fenceKey())).toBeGreaterThan(50_000);
  });

  it.each<[string, () => Promise<void>]>([
    ['before it began', () => takeOver()],
    ['after a transaction on the same connection', () => pause().then(takeOver)],
  ])('that was replaced %s sends no pause', async (_title, replace) => {
    await replace();
    const before = await pauses();
    await expect(pause()).rejects.toThrow(NotInChargeError);
    expect(await pauses()).toBe(before);
  });

  it('has no pause carried out that began before it took charge again', async () => {
    await fence.begin(control);
    await fence.takeCharge(await connect('operator'), 60_000);
    await expect(fence.carryOut(control, 'CLIENT PAUSE', [PAUSE])).rejects.toThrow(NotInChargeError);
    expect(await pauses()).toBe(0);
  });

  it('has no pause carried out if another took charge after it began', async () => {
    await fence.begin(control);
    await takeOver();
    await expect(fence.carryOut(control, 'CLIENT PAUSE', [PAUSE])).rejects.toThrow(NotInChargeError);
    expect(await pauses()).toBe(0);
  });

  it('is in charge no longer than its time', async () => {
    await fence.takeCharge(await connect('operator'), 1);
    await until(async () => (await admin.get(fenceKey())) === null, { everyMs: 1 });
    await expect(pause()).rejects.toThrow(NotInChargeError);
  });

  it('that never took charge is not in charge of a Redis without a session', async () => {
    await admin.flushall();
    await expect(new Fence().begin(control)).rejects.toThrow(NotInChargeError);
  });

  it('is in charge of the servers of a Cluster one by one', async () => {
    const tagged = new Fence('{42}:');
    await tagged.takeCharge(await connect('operator'), 60_000);
    expect(await admin.exists(fenceKey(), fenceKey('{42}:'))).toBe(2);
    expect(await pause()).toEqual(['OK']);
  });
});

describe('a transaction', () => {
  const begun = async (username: string): Promise<{ fence: Fence; redis: Redis }> => {
    const fence = new Fence();
    const redis = await connect(username);
    await fence.takeCharge(redis, 60_000);
    await fence.begin(redis);
    return { fence, redis };
  };

  it('is rejected with the error of the command that Redis did not queue', async () => {
    const { fence, redis } = await begun('outdated');
    await expect(fence.carryOut(redis, 'CLIENT PAUSE', [PAUSE])).rejects.toThrow(/^NOPERM/);
  });

  it('that is rehearsed is not carried out, and ends its connection', async () => {
    const { fence, redis } = await begun('operator');
    await fence.rehearse(redis, 'CLIENT PAUSE', [PAUSE]);
    expect(redis.status).toBe('end');
    expect(await pauses()).toBe(0);
  });
});

it('a connection is known to have ended as soon as it has', async () => {
  const redis = await connect();
  await endOf(redis);
  expect(redis.status).toBe('end');
  await endOf(redis);
});

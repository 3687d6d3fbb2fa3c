/** What a server on loopback that is no Redis, or a malicious one, makes of an admission. */
import { createHash } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { PerServer } from '../client/per-server.ts';
import { RedisConnections } from '../client/redis-client.ts';
import { readAll } from '../client/server-turns.ts';
import {
  type Answers,
  bulk,
  INFO,
  PASSWORD,
  RUN_ID,
  serverWith,
  watchedPrimary,
} from '../testing/answering-redis.fixture.ts';
import { startHostileRedis } from '../testing/hostile-redis.fixture.ts';
import { admitRedis } from './redis-admission.ts';
import { RedisRefusal } from './redis-refusal.ts';

const never = new AbortController().signal;

async function outcomeOf(answers: Answers, allowOtherClients = false): Promise<string> {
  const redis = await serverWith(answers);
  const refusal = await admitRedis(
    { redis: [redis], addresses: [] },
    { allowOtherClients, longestMs: 0 },
    never,
  ).then(
    ({ runId }) => runId,
    (error: unknown) => error,
  );
  if (!(refusal instanceof RedisRefusal)) return String(refusal);
  return `${refusal.reason}: ${refusal.message}`;
}

describe('an admission', () => {
  it.each<[string, Answers]>([
    ['INFO that is null', { INFO: '$-1\r\n' }],
    ['INFO that is an array', { INFO: '*1\r\n$1\r\na\r\n' }],
    ['INFO that is a number', { INFO: ':1\r\n' }],
    ['CLIENT LIST that is null', { CLIENT: '$-1\r\n' }],
    ['CLIENT LIST that is an empty array', { CLIENT: '*0\r\n' }],
    ['CLIENT LIST that is a number', { CLIENT: ':7\r\n' }],
  ])('is refused with an %s, also where others are allowed', async (_, answers) => {
    const refused = /^RedisNotEligible: redis-0 .*server replied .*instead of text: /;
    expect(await outcomeOf(answers)).toMatch(refused);
    expect(await outcomeOf(answers, true)).toMatch(refused);
  });

  it.each<[string, Answers]>([
    ['an error to AUTH', { AUTH: `-WRONGPASS no ${PASSWORD}\r\n` }],
    ['an unsolicited error', { AUTH: `+OK\r\n-ERR ${PASSWORD}\r\n` }],
  ])('never repeats a password that is echoed in %s', async (_, answers) => {
    const outcome = await outcomeOf(answers);
    expect(outcome).toMatch(/^(RedisUnreachable|RedisNotEligible|SharedRedis): .*redis-0 /);
    expect(outcome).not.toMatch(/Tr0|horse/);
  });
});

describe('a node of a Cluster', () => {
  const node = (endpoint: string, rest = '') =>
    `${'a'.repeat(40)} ${endpoint}@16379 myself,master - 0 0 1 connected 0-16383${rest}\n`;
  const outcomeAs = async (nodes: (port: number) => string) => {
    const INFO_OF_NODE = bulk(INFO.replace('standalone', 'cluster'));
    const CLUSTER = (_: string, port: number) => bulk(nodes(port));
    return await outcomeOf({ INFO: INFO_OF_NODE, CLUSTER });
  };

  it('has its replica in a run that continues, for a failover that is still to come', async () => {
    const info = INFO.replace('standalone', 'cluster');
    const primary = await serverWith({
      INFO: bulk(info),
      CLUSTER: (_, port) => bulk(node(`127.0.0.1:${port}`)),
    });
    const known = node(`127.0.0.1:${primary.port}`).replace('myself,', '');
    const replica = await serverWith({
      INFO: bulk(info.replace('role:master', 'role:slave\r\nmaster_link_status:up')),
      CLUSTER: (_, port) =>
        bulk(
          `${known}${'b'.repeat(40)} 127.0.0.1:${port}@16379 myself,slave ${'a'.repeat(40)} 0 0 1 connected\n`,
        ),
    });
    const { ids, masters } = await admitRedis(
      { redis: [primary, { ...replica, podName: 'redis-1' }], addresses: [] },
      { allowOtherClients: true, longestMs: 0, failsOver: true, continues: true },
      never,
    );
    expect(masters).toMatchObject([{ podName: 'redis-0', replica: { podName: 'redis-1' } }]);
    // Its cool-down is that of both, and its Lease that of the primary.
    expect(ids.rest).toEqual([ids.lock, expect.stringMatching(/^[0-9a-f]{40}$/)]);
  });

  it('is refused with an address that no pod has, which gets no connection', async () => {
    const elsewhere = await startHostileRedis(() => expect.unreachable('a connection was made'));
    onTestFinished(() => elsewhere.stop());
    const { host, port } = elsewhere;
    for (const endpoint of [`${host}:${port}`, '10.9.9.9:6379', '[::1]:6379', 'redis.example.com:6379']) {
      expect(await outcomeAs(() => node(endpoint))).toMatch(
        /^RedisNotEligible: primary aaaaaaaa .*at an address that no Ready pod .*has/,
      );
    }
  });

  it('is refused with another text', async () => {
    for (const text of ['', 'ERR', `${node('127.0.0.1:1')}x`, node('x')])
      expect(await outcomeAs(() => text)).toMatch(/^RedisNotEligible: redis-0 .*/);
  });
});

/** Of a primary, each time another pod, port and run_id. */
const idsOf = async (podName: string, sentinel?: string) => {
  const runId = Buffer.from(podName).toString('hex').padEnd(40, '0');
  const redis = { ...(await serverWith({ INFO: bulk(INFO.replace(RUN_ID, runId)) })), podName };
  const SENTINEL = watchedPrimary({ ip: redis.host, port: String(redis.port), runid: runId });
  const servers = sentinel && [{ ...(await serverWith({ SENTINEL })), podName: sentinel }];
  const sentinels = servers ? { masterName: 'limits', servers } : undefined;
  const admitted = await admitRedis(
    { redis: [redis], addresses: [], sentinels },
    { allowOtherClients: false, longestMs: 0 },
    never,
  );
  return admitted.ids;
};

it('the ids of an admitted store are of the pod, or of the Sentinels that watch it', async () => {
  const digest = (...names: string[]) => createHash('sha1').update(names.join('/')).digest('hex');
  const ofPod = digest('redis-0');
  // By whichever port.
  for (const ids of [await idsOf('redis-0'), await idsOf('redis-0')]) {
    expect(ids).toEqual({ lock: ofPod, rest: [ofPod] });
  }
  const ofSentinels = digest('limits', 's-0');
  for (const podName of ['redis-0', 'redis-1']) {
    expect(await idsOf(podName, 's-0')).toEqual({ lock: ofSentinels, rest: [ofSentinels] });
  }
});

it('has its whole time for Redis, however long it waits for other admissions', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  onTestFinished(() => void vi.useRealTimers());
  const redis = await serverWith({});
  const others = Promise.withResolvers<void>();
  const reading = readAll([redis, redis, redis, redis], () => others.promise, false, never);
  const options = { allowOtherClients: false, longestMs: 0 };
  const admission = admitRedis({ redis: [redis], addresses: [] }, options, never);
  const outcome = Promise.allSettled([admission]);
  await vi.advanceTimersByTimeAsync(60_000);
  for (let turn = 0; turn < 3; turn += 1) await nextTurn();
  others.resolve();
  await reading;
  expect(await outcome).toMatchObject([{ value: { runId: RUN_ID } }]);
});

describe('an admission of 64 pods', () => {
  const nodes = (port: number) =>
    `${'a'.repeat(40)} 127.0.0.1:${port}@1 myself,master - 0 0 1 connected 0-16383\n`;
  const admit = async (answers: Answers, failsOver = false) => {
    const redis = await serverWith(answers);
    let most = 0;
    const counting = setInterval(() => {
      most = Math.max(most, redis.open());
    }, 1);
    onTestFinished(() => clearInterval(counting));
    const all: PerServer<typeof redis> = [redis, ...Array.from({ length: 63 }, () => redis)];
    const options = { allowOtherClients: true, longestMs: 0, failsOver };
    const outcome = await admitRedis({ redis: all, addresses: [] }, options, never).catch(
      (error: unknown) => error,
    );
    return { outcome, most, taken: redis.taken() };
  };
  const INFO_OF_NODE = bulk(INFO.replace('standalone', 'cluster'));

  it('has at most four connections open, and reads INFO of each pod once', async () => {
    let reads = 0;
    const INFO_COUNTED = () => {
      reads += 1;
      return INFO_OF_NODE;
    };
    const CLUSTER = (_: string, port: number) => bulk(nodes(port));
    const { most, taken } = await admit({ INFO: INFO_COUNTED, CLUSTER }, true);
    expect(taken).toBe(64);
    expect(most).toBeLessThanOrEqual(4);
    expect(reads).toBe(64);
  });

  it.each<[string, Answers]>([
    ['INFO', { INFO: bulk(INFO.padEnd(300_000, 'x')) }],
    ['CLUSTER NODES', { INFO: INFO_OF_NODE, CLUSTER: (_, port) => bulk(nodes(port).padEnd(300_000, ' ')) }],
  ])('ends with the first that answers more than 256 KiB to %s', async (_, answers) => {
    const { outcome, taken } = await admit(answers);
    expect(outcome).toMatchObject({ reason: 'RedisNotEligible' });
    expect(taken).toBeLessThanOrEqual(4);
  });
});

it('a connection of a run never repeats a password that an answer echoes', async () => {
  const target = await serverWith({ SET: `-OOM ${PASSWORD}\r\n` });
  const redis = new RedisConnections(target, 'test');
  onTestFinished(() => redis.close());
  const writer = await redis.openProbeWriter();
  const error: unknown = await writer.write().catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({
    message: expect.stringMatching(/^Redis redis-0 .*, SET: OOM .*memory is full/),
  });
  expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toMatch(/Tr0|horse/);
});

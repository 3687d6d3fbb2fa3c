/**
 * Stall and Latency via the fault proxy on a real Redis behind a real fault proxy, plain and with TLS: what is found of
 * limiters, while direct connections to Redis are answered at once.
 */

import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { REDIS_ACL } from '@chaosdemo/redis-faults';
import { startRedis } from '@chaosdemo/testbed';
import { Redis } from 'ioredis';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { certificateFor, type RedisTlsFiles } from '../kit/certificate.ts';
import { permitAnd } from '../kit/driven-limiter.ts';
import { startFaultProxy } from '../kit/fault-proxy.ts';
import { folderOfFile } from '../kit/folder.ts';
import { userLine } from '../kit/nodes-on-redis.ts';
import { startOverTls } from '../kit/over-tls.ts';
import { keepingTime, withoutRealTime } from '../kit/pace.ts';
import type { PlantedOptions } from '../kit/planted-pod.ts';
import { type Admits, countsTo, drivenPods, opensTo } from './support/planted-pods.ts';

const LIMIT = 10;
const FAULT_MS = 4000;
const LATENCY_MS = 300;
const LOGIN = { username: 'operator', password: 'secret' };
/** Of the certificate of Redis, for which the port of the proxy has another. */
const NAME = 'redis.shop.svc';
const counts = countsTo(LIMIT);
const opens = opensTo(LIMIT);

const folder = folderOfFile();
let files: RedisTlsFiles;
beforeAll(async () => {
  files = await certificateFor(folder, `DNS:${NAME}`);
});

interface Run {
  readonly type: 'Stall' | 'Latency';
  readonly admits?: Admits;
  readonly options?: PlantedOptions;
  /** As outside of the cluster: the operator uses the direct port of the proxy. With TLS, if this Redis speaks it. */
  readonly isManaged?: boolean;
}

/** Its own Redis over TLS, or a plain one if it was built without TLS. */
async function startManaged() {
  const aclUsers = [userLine(LOGIN.username, REDIS_ACL)];
  const redis = await startOverTls({ tls: files, aclUsers });
  if (!redis) return { redis: await startRedis({ aclUsers }) };
  return { redis, tls: { ca: await readFile(files.caFile, 'utf8'), servername: NAME } };
}

/** A whole run on its own Redis behind its own proxy, with what this test sees in the middle of the fault. */
async function led({ admits = counts, isManaged = false, options = {}, type }: Run) {
  const { redis, tls } = isManaged ? await startManaged() : { redis: await startRedis(), tls: undefined };
  onTestFinished(() => redis.stop());
  const proxy = await startFaultProxy(redis);
  onTestFinished(() => proxy.kill());
  const { host } = redis;
  const secure = { tls: tls !== undefined, ...tls };
  const target = isManaged
    ? { podName: 'proxy-0', host, port: proxy.directPort, ...secure, ...LOGIN }
    : { podName: 'redis-0', host, port: redis.port, ...secure };
  const fault = {
    type,
    via: 'Proxy',
    duration: `${FAULT_MS}ms`,
    ...(type === 'Latency' && { latency: `${LATENCY_MS}ms` }),
  };
  const ground = { redis, target: () => target };
  const { driver, key } = await drivenPods(ground, {
    admits,
    options: { ...options, ...(tls && { tls }) },
    proxy,
    fault,
    limit: LIMIT,
    // Several runs share this process.
    requestsPerSecond: 5,
  });
  const clients = [proxy, redis].map(({ host, port }) => {
    const client = new Redis({ host, port, ...(tls && { tls }) });
    client.on('error', () => undefined);
    onTestFinished(() => client.disconnect());
    return client;
  });
  await Promise.all(clients.map((client) => client.ping()));
  let took: Promise<readonly number[]> | undefined;
  const read = async (): Promise<number[]> => {
    await sleep(FAULT_MS / 3);
    return await Promise.all(
      clients.map(async (client) => {
        const sentAt = performance.now();
        await client.get('an-unused-key');
        return performance.now() - sentAt;
      }),
    );
  };
  const permit = permitAnd(() => {
    took = read();
  });
  const reading = await driver.leadThrough('outage', key, FAULT_MS, permit);
  const [throughMs = 0, directMs = 0] = (await took) ?? [];
  const report = driver.observed.faults['f'];
  return { directMs, reading, report, state: await proxy.get('/fault'), throughMs };
}

/** Asserts what is the same of every run. */
function expectProven(
  { directMs, reading, report, state, throughMs }: Awaited<ReturnType<typeof led>>,
  type: Run['type'],
  summary: RegExp,
): void {
  // If it is not, the message has the reason.
  expect(report?.proof === 'Confirmed' ? 'Confirmed' : report?.message).toBe('Confirmed');
  expect(reading.shortfalls).toEqual([]);
  expect(reading.summary).toMatch(summary);
  expect(report?.endedAt).toEqual(expect.any(Number));
  expect(throughMs).toBeGreaterThanOrEqual(type === 'Latency' ? LATENCY_MS - 1 : FAULT_MS / 2);
  expect(directMs).toBeLessThan(throughMs);
  expect(state).toMatchObject({ faults: 1, fault: null });
}

const WAITS = { maxRetriesPerRequest: null } as const satisfies PlantedOptions;
const HASTY = { ...WAITS, commandTimeout: 200 } as const satisfies PlantedOptions;

const latencyDuring = ({ reading }: Awaited<ReturnType<typeof led>>): number =>
  Number(reading.measures['latencyDuring']);

describe.skipIf(withoutRealTime)('a limiter behind a network', () => {
  it('that loses all packets is found to hang, to fail closed or to fail open', (context) =>
    keepingTime(async () => {
      const [hangs, closes, fails] = await Promise.all([
        led({ type: 'Stall', options: WAITS, isManaged: true }),
        led({ type: 'Stall', options: HASTY }),
        led({ type: 'Stall', options: HASTY, admits: opens }),
      ]);
      expectProven(hangs, 'Stall', /^Hangs/);
      expectProven(closes, 'Stall', /^FailsClosed/);
      expectProven(fails, 'Stall', /^FailsOpen/);
    })(context));

  it('that is slow is found to enforce its limit later, or to give up', (context) =>
    keepingTime(async () => {
      const [waits, closes] = await Promise.all([
        led({ type: 'Latency', options: WAITS, isManaged: true }),
        led({ type: 'Latency', options: HASTY }),
      ]);
      expectProven(waits, 'Latency', /^Enforces/);
      expect(latencyDuring(waits)).toBeGreaterThanOrEqual(LATENCY_MS);
      expectProven(closes, 'Latency', /^FailsClosed/);
    })(context));
});

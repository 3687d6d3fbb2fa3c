/**
 * What Setup finds out before anything is injected: that the rate limiter admits, counts in the Redis that is to
 * be paused, and how far that lies behind at the rate of the fault. On real limiters and Redis.
 */
import { type RedisServer, Supervisor, startRedis } from '@chaosdemo/testbed';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { FaultSpan, NoteFault } from '../../src/subjects/redis/noted-fault.ts';
import type { PodTarget } from '../../src/subjects/targets/target.ts';
import { DrivenLimiter, limiterSpec } from '../kit/driven-limiter.ts';
import { type HostedNode, hostLimiters, threeNodes } from '../kit/hosted-limiters.ts';
import { keepingTime, withoutRealTime } from '../kit/pace.ts';
import { until } from '../kit/until.ts';

const SCENARIOS = [
  {
    name: 'drift',
    type: 'CounterDrift',
    expect: 'Violated',
    counterDrift: { fault: { duration: '4s' }, requestsPerSecond: 60, settle: '1s' },
  },
  { name: 'ghosts', type: 'GhostAllowing', expect: 'Violated', ghostAllowing: { trials: 1 } },
];

let counting: RedisServer;
let other: RedisServer;
let nodes: HostedNode[];
let observer: Redis;
const supervisor = new Supervisor();
const drivers: DrivenLimiter[] = [];

beforeAll(async () => {
  counting = await startRedis();
  other = await startRedis();
  observer = new Redis({ host: counting.host, port: counting.port });
  nodes = await threeNodes('node', { mode: 'approximate', redisPort: counting.port });
  await hostLimiters(supervisor, nodes);
});
afterEach(async () => {
  await Promise.all(drivers.splice(0).map((driver) => driver.close()));
});
afterAll(async () => {
  observer?.disconnect();
  await supervisor.close();
  await Promise.all([counting?.stop(), other?.stop()]);
});

const targetOf = ({ id, host, port }: HostedNode): PodTarget => ({ name: id, host, port });

function driverOn(
  targets: readonly PodTarget[],
  {
    redis = counting,
    scenarios = SCENARIOS,
    ...rest
  }: { redis?: RedisServer; scenarios?: object[]; noteFault?: NoteFault } = {},
): DrivenLimiter {
  const driver = new DrivenLimiter({
    ...rest,
    pods: targets,
    redis: { host: redis.host, port: redis.port, tls: false, podName: 'redis-0' },
    spec: limiterSpec({ limit: { requests: 10 }, health: { timeout: '2s' } }, scenarios),
  });
  drivers.push(driver);
  return driver;
}

async function baselineOf(driver: DrivenLimiter) {
  await driver.measureBaseline();
  return driver.observed.baseline;
}

describe.skipIf(withoutRealTime)('Setup', () => {
  it(
    'Setup checks that the limiter admits, counts in Redis and rejects, at each rate',
    keepingTime(async () => {
      const fast = {
        name: 'fast',
        type: 'CounterDrift',
        expect: 'Violated',
        counterDrift: { requestsPerSecond: 200 },
      };
      const driver = driverOn(nodes.map(targetOf), {
        scenarios: [...SCENARIOS, fast],
      });
      const baseline = await baselineOf(driver);
      expect(baseline).toMatchObject({ ok: true });
      const lags = [...(baseline?.message ?? '').matchAll(/\d+ counts? behind at (\d+) requests/g)];
      // How far depends on the machine.
      expect(lags.map(([, rate]) => rate)).toEqual(['60', '200']);
      expect(baseline?.message).toMatch(/admitted 10 times .*every pod; Redis counted 10 of \d+/);
    }),
  );

  it(
    'ends the run if the limiter counts in another Redis than the spec names',
    keepingTime(async () => {
      expect(await baselineOf(driverOn(nodes.map(targetOf), { redis: other }))).toEqual({
        ok: false,
        message: expect.stringMatching(
          /^No baseline: .*redis-0.* counts 0 at rl:count:demo-.* 10 were admitted: .*redis\.serviceName/,
        ),
      });
    }),
  );
});

it.skipIf(withoutRealTime)(
  'a fault is not injected if its key was used by another client',
  keepingTime(async () => {
    const noted: FaultSpan[] = [];
    const noteFault: NoteFault = async (fault) => {
      noted.push(fault);
      return async () => void noted.splice(noted.indexOf(fault), 1);
    };
    const driver = driverOn(nodes.map(targetOf), { noteFault });
    const key = 'demo-used';
    await driver.prepare('drift', key);
    const [first] = nodes;
    const body = JSON.stringify({ key });
    const headers = { 'content-type': 'application/json' };
    await fetch(`http://${first?.host}:${first?.port}/check`, { method: 'POST', headers, body });
    await until(async () => (await observer.hvals(`rl:count:${key}`)).length > 0, {
      what: 'the count to reach Redis',
    });
    expect(await driver.inject('drift', 2000)).toMatchObject({
      missed: true,
      message: expect.stringMatching(/^demo-used .*before .*\(Redis counted 1\)/),
    });
    // And Redis needs no rest from it.
    expect(noted).toEqual([]);
  }),
);

/**
 * A limiter that loads its script of Redis once, when it starts, behind a real fault proxy that refuses connections: if
 * one of its pods is restarted in the fault, what is found depends on what it does then.
 */
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { REDIS_ACL } from '../../src/subjects/ratelimiter/index.ts';
import { DrivenLimiter, limiterSpec } from '../kit/driven-limiter.ts';
import { FAULT_PROXY, type RunningProxy, startFaultProxy } from '../kit/fault-proxy.ts';
import { NodesOnRedis, userLine } from '../kit/nodes-on-redis.ts';
import { keepingTime, withoutRealTime } from '../kit/pace.ts';
import { type PlantedPod, plantedPod } from '../kit/planted-pod.ts';
import { until } from '../kit/until.ts';
import { eventsOf } from './support/planted-pods.ts';

const LIMIT = 10;
const FAULT_MS = 5000;
const SETTLE_MS = 2000;
const ADDRESSES = ['127.0.0.81', '127.0.0.82'] as const;
const COUNT = `local used = redis.call('INCR', KEYS[1]) redis.call('EXPIRE', KEYS[1], 3600) return used`;

let ground: NodesOnRedis;
let proxy: RunningProxy;
beforeAll(async () => {
  ground = await NodesOnRedis.start(['approximate'], [userLine('operator', REDIS_ACL)]);
  proxy = await startFaultProxy(ground.redis);
});
afterAll(async () => {
  await proxy?.kill();
  await ground?.stop();
});

/** Admits every caller if Redis fails; `loadsAgain`: it tries again to load a script that could not be loaded. */
async function started(address: string, loadsAgain: boolean, port?: number): Promise<PlantedPod> {
  const load = (store: Redis): Promise<string> => store.script('LOAD', COUNT) as Promise<string>;
  let script: Promise<string>;
  const decide = async (caller: string, store: Redis): Promise<boolean> => {
    try {
      return Number(await store.evalsha(await script, 1, `rl:${caller}`)) <= LIMIT;
    } catch {
      if (loadsAgain) script = load(store);
      script.catch(() => undefined);
      return true;
    }
  };
  return await plantedPod(`api-${ADDRESSES.indexOf(address as '127.0.0.81')}`, proxy, decide, {
    address,
    ...(port !== undefined && { port }),
    maxRetriesPerRequest: 1,
    retryStrategy: () => 20,
    onStore: (store) => {
      script = load(store);
      script.catch(() => undefined);
    },
  });
}

let runs = 0;

/** Leads two such pods through a Refuse, in which the second one is started again. */
async function led(loadsAgain: boolean) {
  const pods = await Promise.all(ADDRESSES.map((address) => started(address, loadsAgain)));
  const containers = new Map(pods.map(({ name }) => [name, 'first']));
  let isSeen = false;
  const storeOutage = {
    fault: { type: 'Refuse', duration: `${FAULT_MS}ms` },
    callerTimeout: '500ms',
    requestsPerSecond: 20,
    settle: `${SETTLE_MS}ms`,
    accept: ['FailsOpen'],
  };
  const spec = limiterSpec(
    {
      interface: 'HTTP',
      http: { headers: [{ name: 'x-caller', value: '$(key)' }] },
      health: { path: '/healthz' },
      // The run does not wait for the end of so long a window.
      limit: { requests: LIMIT, window: '1h', algorithm: 'FixedWindow', windowStart: 'FirstRequest' },
      redis: { service: 'redis', faultProxy: FAULT_PROXY },
    },
    [{ name: 'outage', type: 'StoreOutage', storeOutage }],
  );
  const driver: DrivenLimiter = new DrivenLimiter({
    pods,
    redis: ground.target('operator'),
    faultProxy: proxy.target,
    lookAtPods: async () => {
      isSeen ||= driver.observed.faults['f']?.startedAt !== undefined;
      return { replaced: [], containers: new Map(containers) };
    },
    spec,
  });
  onTestFinished(() => driver.close());
  const reading = driver.leadThrough('outage', `demo-started-${process.pid}-${(runs += 1)}`, FAULT_MS);
  const [, second] = pods;
  await until(() => isSeen, { what: 'a look at the pods in the fault' });
  await second?.stop();
  await started(ADDRESSES[1], loadsAgain, second?.port);
  containers.set('api-1', 'second');
  return { driver, reading: await reading };
}

describe.skipIf(withoutRealTime)('a pod that starts in a fault', { timeout: 60_000 }, () => {
  it('does not recover if it never loads its script again, and is named', (context) =>
    keepingTime(async () => {
      const { driver, reading } = await led(false);
      expect(reading).toMatchObject({ summary: 'FailsOpen; no recovery in 2s', shortfalls: [] });
      expect(reading.detectedAt).toBeDefined();
      expect(reading.evidence.join('\n')).toMatch(/No recovery .*: api-1 \(restarted .*\) still admitted/);
      expect(eventsOf(driver)).toContainEqual(
        expect.objectContaining({ kind: 'restarted', pods: ['api-1'] }),
      );
    })(context));

  it('recovers if it loads its script again', (context) =>
    keepingTime(async () => {
      const { driver, reading } = await led(true);
      expect(reading).toMatchObject({ shortfalls: [] });
      expect(reading.detectedAt).toBeUndefined();
      expect(reading.summary).toMatch(/^FailsOpen, /);
      expect(eventsOf(driver)).toContainEqual(
        expect.objectContaining({ kind: 'restarted', pods: ['api-1'] }),
      );
    })(context));
});

/**
 * A limiter that loads its script of Redis once, when it starts, behind a real fault proxy that refuses connections: if
 * one of its pods is restarted in the fault, what is found depends on what it does then.
 */
import { REDIS_ACL } from '@chaosdemo/redis-faults';
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RunningProxy, startFaultProxy } from '../kit/fault-proxy.ts';
import { NodesOnRedis, userLine } from '../kit/nodes-on-redis.ts';
import { keepingTime, withoutRealTime } from '../kit/pace.ts';
import { plantedPod } from '../kit/planted-pod.ts';
import { until } from '../kit/until.ts';
import { ADDRESSES, type Admits, drivenPods, eventsOf } from './support/planted-pods.ts';

const LIMIT = 10;
/** A restart takes up less than a tenth of it, also on a busy machine: what callers get has one word then. */
const FAULT_MS = 12_000;
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

/** The script of each pod, by its connection to Redis. */
const scripts = new WeakMap<Redis, Promise<string>>();

function load(store: Redis): void {
  const loading = store.script('LOAD', COUNT) as Promise<string>;
  loading.catch(() => undefined);
  scripts.set(store, loading);
}

/** Admits every caller if Redis fails; `loadsAgain`: it tries again to load a script that could not be loaded. */
const admitsIfRedisFails =
  (loadsAgain: boolean): Admits =>
  async (caller, store) => {
    try {
      return Number(await store.evalsha((await scripts.get(store)) ?? '', 1, `rl:${caller}`)) <= LIMIT;
    } catch {
      if (loadsAgain) load(store);
      return true;
    }
  };

/** Leads such pods through a Refuse, in which the second one is restarted. */
async function led(loadsAgain: boolean) {
  const admits = admitsIfRedisFails(loadsAgain);
  const options = { maxRetriesPerRequest: 1, retryStrategy: () => 20, onStore: load };
  const containers = new Map([['api-1', 'first']]);
  let isSeen = false;
  const { driver, key, pods } = await drivenPods(ground, {
    accept: ['FailsOpen'],
    admits,
    fault: { type: 'Refuse', duration: `${FAULT_MS}ms` },
    limit: LIMIT,
    lookAtPods: async () => {
      isSeen ||= driver.observed.faults['f']?.startedAt !== undefined;
      return { replaced: [], containers: new Map(containers) };
    },
    options,
    proxy,
    requestsPerSecond: 20,
    user: 'operator',
  });
  const reading = driver.leadThrough('outage', key, FAULT_MS);
  await until(() => isSeen, { what: 'a look at the pods in the fault' });
  const [, old] = pods;
  await old?.stop();
  await plantedPod('api-1', proxy, admits, { ...options, address: ADDRESSES[1] ?? '', port: old?.port ?? 0 });
  containers.set('api-1', 'second');
  return { reading: await reading, events: eventsOf(driver) };
}

const RESTARTED = expect.objectContaining({ kind: 'restarted', pods: ['api-1'] }) as unknown;

describe.skipIf(withoutRealTime)('a pod that starts in a fault', { timeout: 60_000 }, () => {
  it('does not recover if it never loads its script again, and is named', (context) =>
    keepingTime(async () => {
      const { events, reading } = await led(false);
      expect(reading).toMatchObject({ summary: 'FailsOpen; no recovery in 2s', shortfalls: [] });
      expect(reading.detectedAt).toBeDefined();
      expect(reading.evidence.join('\n')).toMatch(/No recovery .*: api-1 \(restarted .*\) still admitted/);
      expect(events).toContainEqual(RESTARTED);
    })(context));

  it('recovers if it loads its script again', (context) =>
    keepingTime(async () => {
      const { events, reading } = await led(true);
      const { detectedAt, evidence, shortfalls } = reading;
      // With the evidence, to see why if it is broken.
      expect({ detectedAt, evidence, shortfalls }).toEqual({ evidence, shortfalls: [] });
      expect(reading.summary).toMatch(/^FailsOpen, /);
      expect(events).toContainEqual(RESTARTED);
    })(context));
});

/** Planted pods over one real Redis, and a driver of one fault on them. */
import type { RedisTarget } from '@chaosdemo/redis-faults';
import type { RedisServer } from '@chaosdemo/testbed';
import type { Redis } from 'ioredis';
import type { HistoryEvent } from '../../../src/subjects/history/events.ts';
import type { LookAtPods } from '../../../src/subjects/targets/pods-now.ts';
import { DrivenLimiter, limiterSpec } from '../../kit/driven-limiter.ts';
import type { RunningProxy } from '../../kit/fault-proxy.ts';
import { onTestFinished } from '../../kit/finished.ts';
import { type PlantedOptions, plantedPod } from '../../kit/planted-pod.ts';

/** Each pod has its own address, from which it also connects to Redis. */
export const ADDRESSES = ['127.0.0.61', '127.0.0.62', '127.0.0.63'];

/** Gives a command up as soon as its connection is lost, and connects again at once. */
export const GIVES_UP = {
  enableOfflineQueue: false,
  maxRetriesPerRequest: 0,
  retryStrategy: () => 20,
} as const satisfies PlantedOptions;

/** Queues commands until a connection takes them. */
export const WAITS = {
  maxRetriesPerRequest: null,
  retryStrategy: () => 20,
} as const satisfies PlantedOptions;

export type Admits = (caller: string, store: Redis) => Promise<boolean>;

/** Counts in a fixed window of two minutes from the first request on, at `rl:<caller>`. */
export const countsTo =
  (limit: number): Admits =>
  async (caller, store) => {
    const script = `local used = redis.call('INCR', KEYS[1]) if used == 1 then redis.call('EXPIRE', KEYS[1], 120) end return used`;
    return Number(await store.eval(script, 1, `rl:${caller}`)) <= limit;
  };

/** Admits all while it cannot count. */
export const opensTo = (limit: number): Admits => {
  const counts = countsTo(limit);
  return async (caller, store) => await counts(caller, store).catch(() => true);
};

interface PlantedRun {
  readonly admits: Admits;
  readonly fault: { readonly type: string; readonly duration: string } & Record<string, unknown>;
  readonly limit: number;
  readonly options?: PlantedOptions;
  /** What each pod is besides. Default: one at each of {@link ADDRESSES}. */
  readonly pods?: readonly PlantedOptions[];
  readonly accept?: readonly string[];
  /** Whether the spec names where the limiter counts. */
  readonly count?: boolean;
  /** Of Redis. */
  readonly user?: string;
  /** Default: 10. */
  readonly requestsPerSecond?: number;
  /** Default: no pod is ever restarted. */
  readonly lookAtPods?: LookAtPods;
  /** By which the pods connect to Redis. */
  readonly proxy?: RunningProxy;
}

/** A Redis, and how the operator is given it. */
interface Ground {
  readonly redis: Pick<RedisServer, 'host' | 'port'>;
  target(user?: string): RedisTarget;
}

let runs = 0;

/** Pods that decide so, and a driver of the fault; both end with the test. */
export async function drivenPods(ground: Ground, run: PlantedRun) {
  const {
    accept = ['Enforces'],
    admits,
    count = false,
    fault,
    limit,
    lookAtPods,
    pods: each = ADDRESSES.map((address) => ({ address })),
    proxy,
    requestsPerSecond = 10,
    user,
  } = run;
  const store = proxy ?? ground.redis;
  const pods = await Promise.all(
    each.map((of, i) => plantedPod(`api-${i}`, store, admits, { ...run.options, ...of })),
  );
  const storeOutage = { fault, callerTimeout: '1s', requestsPerSecond, settle: '2s', accept };
  const spec = limiterSpec(
    {
      http: { headers: [{ name: 'x-caller', value: '$(key)' }] },
      health: { path: '/healthz' },
      // So long that no run waits for its end.
      limit: { requests: limit, window: '120s', algorithm: 'FixedWindow', windowStart: 'FirstRequest' },
      redis: {
        serviceName: 'redis',
        ...(ground.target(user).tls && { tls: {} }),
        ...(count && { count: { key: 'rl:$(key)' } }),
        ...(proxy && { faultProxy: { serviceName: 'fault-proxy', authSecretName: 'fault-proxy-auth' } }),
      },
    },
    [{ name: 'outage', type: 'StoreOutage', storeOutage }],
  );
  const driver = new DrivenLimiter({
    pods,
    redis: ground.target(user),
    ...(proxy && { faultProxy: proxy.target }),
    ...(lookAtPods && { lookAtPods }),
    spec,
  });
  onTestFinished(() => driver.close());
  return { driver, pods, key: `demo-${fault.type.toLowerCase()}-${process.pid}-${(runs += 1)}` };
}

/** What was recorded around the fault. */
export function eventsOf(driver: DrivenLimiter): HistoryEvent[] {
  return driver.lines.map((line) => JSON.parse(line) as HistoryEvent);
}

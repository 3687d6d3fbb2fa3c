/** Planted limiters behind HTTP on a real Redis, with a timeout as real limiters have, and a driver of a run on them. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { RedisServer } from '@chaosdemo/testbed';
import type { Redis } from 'ioredis';
import { DrivenLimiter, limiterSpec } from '../../kit/driven-limiter.ts';
import { onTestFinished, redisOfTest } from '../../kit/finished.ts';
import { plantedPod } from '../../kit/planted-pod.ts';

export const LIMIT = 10;
export const PAUSE_MS = 3000;
/** How long a limiter waits for Redis. */
export const PATIENCE_MS = 150;

/** Whether a caller is admitted. */
export type Decide = (key: string, store: Redis) => Promise<boolean>;

const FROM_FIRST = { algorithm: 'FixedWindow', windowStart: 'FirstRequest' } as const;

let runs = 0;

/** What a planted limiter is put under. */
interface Trial {
  readonly accept: readonly string[];
  readonly pods?: number;
  /** Longer than the story of a run, and short enough to wait for its end. */
  readonly window?: string;
  readonly settle?: string;
  readonly requestsPerSecond?: number;
  /** What the spec states of how the limiter counts. Default: fixed windows from the first request. */
  readonly stated?: object;
}

/** Pods that decide so, each on its own, and a driver of a run on them. */
export async function driven(decide: () => Decide, trial: Trial) {
  const admitted = new Map<string, number>();
  const note = (key: string): void => void admitted.set(key, (admitted.get(key) ?? 0) + 1);
  const redis = await redisOfTest();
  const names = Array.from({ length: trial.pods ?? 3 }, (_, i) => `api-${i}`);
  const nodes = await Promise.all(
    names.map(async (name) => {
      const admits = decide();
      return await plantedPod(name, redis, async (caller, store) => {
        const isAdmitted = await admits(caller, store);
        if (isAdmitted) note(caller);
        return isAdmitted;
      });
    }),
  );
  const { driver, key, spec } = drive(redis, nodes, trial);
  /** The most that the handlers behind the limiter got of one caller over its limit, or that crosses it. */
  const mostAdmitted = (): number => {
    const isLimited = (caller: string): boolean => /^-c\d+$/.test(caller.replace(key, ''));
    return Math.max(...[...admitted].filter(([caller]) => isLimited(caller)).map(([, count]) => count));
  };
  return { driver, key, mostAdmitted, spec };
}

/** A driver of a run on these pods, and a key for its fault. */
export function drive(
  redis: RedisServer,
  nodes: readonly { readonly name: string; readonly host: string; readonly port: number }[],
  { accept, requestsPerSecond = 5, settle = '2s', stated = FROM_FIRST, window = '60s' }: Trial,
) {
  const storeOutage = { fault: { duration: '3s' }, callerTimeout: '1s', requestsPerSecond, settle, accept };
  const http = { headers: [{ name: 'x-caller', value: '$(key)' }] };
  const spec = limiterSpec(
    { http, health: { path: '/healthz' }, limit: { requests: LIMIT, window, ...stated } },
    [
      { name: 'outage', type: 'StoreOutage', storeOutage },
      { name: 'ghosts', type: 'GhostAllowing', expect: 'Violated', ghostAllowing: { trials: 2 } },
    ],
  );
  const { host, port } = redis;
  const target = { podName: 'redis-0', host, port, tls: false };
  const driver = new DrivenLimiter({ pods: nodes, redis: target, spec });
  onTestFinished(() => driver.close());
  const key = `demo-mislead-${process.pid}-${(runs += 1)}`;
  return { driver, key, spec };
}

/** What Redis carries out later than its caller waits is void. */
export const COUNT = `if redis.call('TIME')[1] - ARGV[1] > 1 then return redis.error_reply('late') end
  local used = redis.call('INCR', KEYS[1]) redis.call('EXPIRE', KEYS[1], ARGV[2]) return used`;

/** Counts a request of this caller; rejects if Redis does not answer in time, and nothing is counted then. */
export async function count(key: string, store: Redis, windowSeconds = 60): Promise<number> {
  const now = Math.floor(Date.now() / 1000);
  return await inTime(PATIENCE_MS, async () =>
    Number(await store.eval(COUNT, 1, `rl:${key}`, now, windowSeconds)),
  );
}

/**
 * As a timeout of the client has it: the command goes on. It takes steps, since this process serves many limiters: a
 * moment in which it stands still counts as one step, and what Redis sent in it is read first.
 */
export async function inTime<T>(ms: number, work: () => Promise<T>): Promise<T> {
  const late = new AbortController();
  const wait = async (): Promise<never> => {
    for (let step = 0; step < 10; step += 1) await sleep(ms / 10, undefined, { signal: late.signal });
    throw new Error('timed out');
  };
  const timeout = wait();
  timeout.catch(() => undefined);
  try {
    return await Promise.race([work(), timeout]);
  } finally {
    late.abort();
  }
}

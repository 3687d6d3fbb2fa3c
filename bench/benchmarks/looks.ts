/** How long one sample of the counters of pods and Redis takes: no detection is sooner. */
import { pauseFor } from '@chaosdemo/redis-faults/waiting';
import { Redis } from 'ioredis';
import type { Testbed } from '../testbed.ts';

const TIMEOUT_MS = 5000;
/** Before the first one that counts, connections are made. */
const WARM_UPS = 5;
const APART_MS = 20;

/**
 * Samples a separate key from this process; its window ends by itself.
 * @returns how long each sample took, in milliseconds
 * @throws if a sample has no counters
 */
export async function timeLooks({ environment, signal }: Testbed, count: number): Promise<number[]> {
  const { limiters, redis, redisUsers } = environment;
  const { password, username } = redisUsers.operator;
  const store = new Redis({ host: redis.host, port: redis.port, username, password });
  const key = 'demo-bench-look';
  const read = async (url: string): Promise<string> => {
    const within = AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]);
    const response = await fetch(`${url}/counter?key=${key}`, { signal: within });
    const { redisKey } = (await response.json()) as { readonly redisKey?: string };
    if (redisKey === undefined) throw new Error(`${url} has no counter of ${key}`);
    return redisKey;
  };
  try {
    const times: number[] = [];
    for (let i = 0; i < WARM_UPS + count; i += 1) {
      const start = performance.now();
      const [redisKey = ''] = await Promise.all(limiters.map(async ({ url }) => await read(url)));
      await store.hvals(redisKey);
      const tookMs = performance.now() - start;
      if (i >= WARM_UPS) times.push(tookMs);
      await pauseFor(APART_MS, signal);
    }
    return times;
  } finally {
    store.disconnect();
  }
}

/** How long one sample of the counters of pods and Redis takes: no detection is sooner. */
import { LimiterClient, sampleCounters, setupRateLimit } from '@chaosdemo/limiter';
import { pauseFor } from '@chaosdemo/redis-faults/waiting';
import { Redis } from 'ioredis';
import type { Testbed } from '../testbed.ts';

const TIMEOUT_MS = 5000;
const WINDOW_MS = 60_000;
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
  const clients = limiters.map(
    ({ ip, name, port }) => new LimiterClient({ name, host: ip, port }, TIMEOUT_MS),
  );
  const { password, username } = redisUsers.operator;
  const store = new Redis({ host: redis.host, port: redis.port, username, password });
  try {
    const key = 'demo-bench-look';
    await setupRateLimit(clients, { key, limit: 10, windowMs: WINDOW_MS }, TIMEOUT_MS, signal);
    const times: number[] = [];
    for (let i = 0; i < WARM_UPS + count; i += 1) {
      const start = performance.now();
      await sampleCounters(clients, store, key, signal);
      const tookMs = performance.now() - start;
      if (i >= WARM_UPS) times.push(tookMs);
      await pauseFor(APART_MS, signal);
    }
    return times;
  } finally {
    store.disconnect();
    await Promise.all(clients.map(async (client) => await client.close()));
  }
}

/** How long one sample of the counters of pods and Redis takes: no detection is sooner. */
import { randomUUID } from 'node:crypto';
import {
  LimiterClient,
  RedisConnections,
  sampleCounters,
  setupRateLimit,
} from '../../src/subjects/ratelimiter/index.ts';
import { pauseFor } from '../../src/subjects/waiting.ts';
import type { Testbed } from '../testbed.ts';

const TIMEOUT_MS = 5000;
const WINDOW_MS = 60_000;
/** Before the first one that counts, connections are made. */
const WARM_UPS = 5;
const APART_MS = 20;

/**
 * Samples a separate key by the operator's own function, from this process; the key's window runs out.
 * @returns how long each sample took, in milliseconds
 * @throws if a sample has no counters
 */
export async function timeLooks({ environment, signal }: Testbed, count: number): Promise<number[]> {
  const { limiters, redis, redisUsers } = environment;
  const clients = limiters.map(
    ({ ip, name, port }) => new LimiterClient({ name, host: ip, port }, TIMEOUT_MS, 4),
  );
  const store = new RedisConnections(
    { podName: 'redis', host: redis.host, port: redis.port, tls: false, ...redisUsers.operator },
    randomUUID(),
  );
  try {
    const window = await setupRateLimit(clients, 'demo-bench-look', 10, WINDOW_MS, TIMEOUT_MS, signal);
    const times: number[] = [];
    for (let i = 0; i < WARM_UPS + count; i += 1) {
      const start = performance.now();
      const { problems, stored } = await sampleCounters(clients, store, window, Date.now, signal);
      const tookMs = performance.now() - start;
      if (stored === undefined) throw new Error(`a sample has no counters: ${problems.join('; ')}`);
      if (i >= WARM_UPS) times.push(tookMs);
      await pauseFor(APART_MS, signal);
    }
    return times;
  } finally {
    store.close();
    for (const client of clients) client.close();
  }
}

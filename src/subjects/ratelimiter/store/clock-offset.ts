/** How far the clock of Redis is from the local one. */
import type { RedisConnections } from './redis-client.ts';

/** Times the clock of Redis is read; the quickest answer counts. */
const CLOCK_READS = 5;

/** Clock of Redis less the local one, in milliseconds, by the answer that took the least time. @throws RedisClientError */
export async function clockOffset(redis: Pick<RedisConnections, 'time'>, now: () => number): Promise<number> {
  let best = { took: Number.POSITIVE_INFINITY, offset: 0 };
  for (let i = 0; i < CLOCK_READS; i += 1) {
    const [start, sentAt] = [performance.now(), now()];
    const redisNow = await redis.time();
    const took = performance.now() - start;
    if (took < best.took) best = { took, offset: redisNow - (sentAt + took / 2) };
  }
  return best.offset;
}

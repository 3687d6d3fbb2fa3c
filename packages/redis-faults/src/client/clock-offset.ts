/** How far the clock of Redis is from the local one. */
import { TIMED_OUT, within } from '../waiting.ts';
import type { RedisConnections } from './redis-client.ts';

/** Times the clock of Redis is read; the quickest answer counts. */
const CLOCK_READS = 5;

/** Clock of Redis less the local one, in milliseconds, by the fastest answer. @throws RedisClientError */
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

/** One moment, by two clocks; milliseconds since the epoch. */
export interface Answered {
  /** When the answer was read here. */
  readonly at: number;
  /** When Redis answered, by the clock of Redis. */
  readonly redisAt: number;
}

/**
 * When Redis did what it answered, by the local clock. A process that waits for a CPU reads an answer late, but Redis
 * has recorded the moment. The clocks are compared now. Returns the moment of reading if the comparison fails or takes
 * longer than `withinMs`, or if the moment is before the request or after the answer, which means that the clock of
 * Redis was set in between.
 * @param sentAt when the request was sent, by the local clock
 * @throws only the reason of `signal`
 */
export async function momentOf(
  redis: Pick<RedisConnections, 'time'>,
  { at, redisAt }: Answered,
  sentAt: number,
  now: () => number,
  withinMs: number,
  signal: AbortSignal,
): Promise<number> {
  const compared = clockOffset(redis, now).catch(() => undefined);
  const offset = await within(compared, withinMs, signal);
  if (offset === TIMED_OUT || offset === undefined) return at;
  const moment = redisAt - offset;
  return moment >= sentAt && moment <= at ? moment : at;
}

/** Gets a key ready for a fault: a fresh window on every node, and its end by the local clock. */
import { formatDuration, parseDuration } from '../../../api/index.ts';
import type { Prepared } from '../../../demo/observed.ts';
import type { LimitWindow } from '../interfaces/reference/setup-limit.ts';
import { removeRateLimit, setupRateLimit } from '../interfaces/reference/setup-limit.ts';
import type { RedisConnections } from '../store/redis-client.ts';
import { counted } from '../words.ts';
import type { Toolkit } from './fault.ts';

/** Times the clock of Redis is read; the quickest answer counts. */
const CLOCK_READS = 5;

/** How long half a key may take to be removed again. */
const CLEAN_UP_MS = 5000;

/** A key with its window, and what is told of it. */
export interface Fixture {
  readonly window: LimitWindow;
  readonly prepared: Omit<Prepared, 'sequence'>;
}

/** @throws an error whose message says what to do, or the reason of `signal`; the key is removed again then */
export async function prepareKey(
  { clients, redis, limiter: { limit }, timeoutMs, now }: Toolkit,
  key: string,
  signal: AbortSignal,
): Promise<Fixture> {
  const windowMs = parseDuration(limit.window);
  try {
    const window = await setupRateLimit(clients, key, limit.requests, windowMs, timeoutMs, signal);
    const offset = await clockOffset(redis, now);
    signal.throwIfAborted();
    return {
      window,
      prepared: {
        fixture: key,
        usableUntil: Math.floor(window.windowEndsAt - offset),
        message: `Key ${key}: limit ${limit.requests} in ${formatDuration(windowMs)}, read back on ${counted(clients.length, 'node')}`,
      },
    };
  } catch (error) {
    // Perhaps half of the nodes have it.
    const within = AbortSignal.timeout(Math.min(timeoutMs, CLEAN_UP_MS));
    await removeRateLimit(clients, key, within).catch(() => undefined);
    throw error;
  }
}

/** Clock of Redis less the local one, in milliseconds, by the answer that took the least time. */
async function clockOffset(redis: RedisConnections, now: () => number): Promise<number> {
  let best = { took: Number.POSITIVE_INFINITY, offset: 0 };
  for (let i = 0; i < CLOCK_READS; i += 1) {
    const [start, sentAt] = [performance.now(), now()];
    const redisNow = await redis.time();
    const took = performance.now() - start;
    if (took < best.took) best = { took, offset: redisNow - (sentAt + took / 2) };
  }
  return best.offset;
}

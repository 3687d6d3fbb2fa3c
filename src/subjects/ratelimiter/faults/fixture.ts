/** Gets a fault ready: a key with a fresh window on every node, its end by the local clock, and a marker. */
import { formatDuration, parseDuration, type RateLimiterSpec, type ScenarioType } from '../../api/index.ts';
import type { Prepared } from '../../demo/observed.ts';
import type { LimiterClient } from './limiter-client.ts';
import type { RedisConnections } from './redis-client.ts';
import { markerOf, parseInfo, type RedisInfo } from './redis-info.ts';
import { type LimitWindow, setupRateLimit } from './setup-limit.ts';

/** Times the clock of Redis is read; the quickest answer counts. */
const CLOCK_READS = 5;

export interface PrepareOptions {
  readonly clients: readonly LimiterClient[];
  readonly redis: RedisConnections;
  readonly type: ScenarioType;
  readonly key: string;
  readonly limit: RateLimiterSpec['limit'];
  readonly timeoutMs: number;
  readonly now: () => number;
}

/**
 * @returns the window, and the finding without its sequence
 * @throws an error whose message says what to do: the limit cannot be set, or
 *   this Redis must not be paused
 */
export async function prepareKey(
  { clients, redis, type, key, limit, timeoutMs, now }: PrepareOptions,
  signal: AbortSignal,
): Promise<{ window: LimitWindow; prepared: Omit<Prepared, 'sequence'> }> {
  const info = type === 'CounterDrift' ? await pausable(redis) : undefined;
  const windowMs = parseDuration(limit.window);
  const window = await setupRateLimit(clients, key, limit.requests, windowMs, timeoutMs, signal);
  const offset = await clockOffset(redis, now);
  return {
    window,
    prepared: {
      key,
      windowEndsAt: Math.floor(window.windowEndsAt - offset),
      ...(info && { marker: markerOf(info) }),
      message: `Key ${key}: limit ${limit.requests} in ${formatDuration(windowMs)}, read back on ${clients.length} nodes`,
    },
  };
}

/** What this Redis is. @throws when it is of a kind that must not be paused */
async function pausable(redis: RedisConnections): Promise<RedisInfo> {
  const info = parseInfo(await redis.info('server', 'replication', 'commandstats'));
  if (info.role !== 'master' || info.mode !== 'standalone') {
    throw new Error(
      `${redis.name} is a ${info.role} in mode ${info.mode}: only a standalone master can be paused; point subject.rateLimiter.redis.service at one`,
    );
  }
  return info;
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

/**
 * What the limiter keeps in Redis. Everything is under `rl:`; times are milliseconds since the epoch by the clock of
 * Redis.
 *
 * | key              | type | content                                                                      |
 * |------------------|------|------------------------------------------------------------------------------|
 * | `rl:count:<key>` | hash | pod -> requests that it admitted in the window. Their sum is what Redis has   |
 * |                  |      | counted. It expires at the end of the window, so its expiry is the window.    |
 *
 * Rights: `~rl:* resetchannels -@all +auth +hello +client|setname +ping +time +hgetall +hvals +hget
 * +hset +hincrby +pexpireat +pexpiretime +eval`.
 *
 * A pod sends its absolute count and never an increment, and Redis keeps the larger of the stored and the sent one. So
 * a write may be repeated, reordered or lost without counting twice (a grow-only counter). Redis may hold a write back
 * (CLIENT PAUSE) and run it long after its sender gave up, so each one carries a time after which it has no effect.
 */
import type { Redis } from 'ioredis';
import { z } from 'zod';
import type { LimiterConfig } from './config.ts';

/** Requests that all pods together admit in one window. */
export type Limit = Pick<LimiterConfig, 'limit' | 'windowMs'>;

/** What Redis holds of a key. */
export type StoredWindow = z.output<typeof stored>;

/** The hash with the counts of a key. */
export const countKey = (key: string): string => `rl:count:${key}`;

const NOW = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
`;

/** KEYS: counts of each key. ARGV: the pod, then for each key its count and the end of its window. */
const SYNC = `${NOW}
local replies = {}
for i, counts in ipairs(KEYS) do
  local admitted, endsAt = tonumber(ARGV[2 * i]), tonumber(ARGV[2 * i + 1])
  if admitted > tonumber(redis.call('HGET', counts, ARGV[1]) or '0') and now < endsAt then
    redis.call('HSET', counts, ARGV[1], admitted)
    if redis.call('PEXPIRETIME', counts) < 0 then redis.call('PEXPIREAT', counts, ARGV[2 * i + 1]) end
  end
  replies[i] = { redis.call('PEXPIRETIME', counts), redis.call('HGETALL', counts) }
end
return { now, replies }
`;

/** KEYS: counts. ARGV: the pod, when it is too late, the limit and the window. */
const CHECK = `${NOW}
if now > tonumber(ARGV[2]) then return 'late' end
local windowMs, total = tonumber(ARGV[4]), 0
for _, count in ipairs(redis.call('HVALS', KEYS[1])) do total = total + tonumber(count) end
local allowed = total < tonumber(ARGV[3])
if allowed then
  redis.call('HINCRBY', KEYS[1], ARGV[1], 1)
  if total == 0 then redis.call('PEXPIREAT', KEYS[1], string.format('%.0f', now + windowMs)) end
end
local endsAt = redis.call('PEXPIRETIME', KEYS[1])
return { now, allowed and 1 or 0, total, endsAt < 0 and now + windowMs or endsAt }
`;

const stored = z.tuple([z.int(), z.array(z.string())]).transform(([endsAt, flat]) => {
  const counts = new Map<string, number>();
  for (let i = 0; i + 1 < flat.length; i += 2) counts.set(flat[i] ?? '', Number(flat[i + 1]));
  // When the window ends, if Redis has counted anything in it, and the requests that each pod has admitted.
  return { ...(endsAt > 0 && { endsAt }), counts };
});
const synced = z.tuple([z.int(), z.array(stored)]);
const checked = z.tuple([z.int(), z.literal([0, 1]), z.int(), z.int()]);

/** The count of one key on one pod. */
export interface PodCount {
  readonly key: string;
  readonly admitted: number;
  readonly endsAt: number;
}

/**
 * Raises the count of this pod in each window to at least the one sent, unless that window has ended.
 * @returns the time of Redis, and what it holds of each key
 */
export async function syncCounts(
  redis: Redis,
  pod: string,
  counts: readonly PodCount[],
): Promise<{ readonly now: number; readonly windows: readonly StoredWindow[] }> {
  const keys = counts.map(({ key }) => countKey(key));
  const figures = counts.flatMap(({ admitted, endsAt }) => [admitted, endsAt]);
  const [now, windows] = synced.parse(await redis.eval(SYNC, keys.length, ...keys, pod, ...figures));
  return { now, windows };
}

/** Reads what {@link syncCounts} returns of one key, also while writes stall. */
export async function readWindow(
  redis: Redis,
  key: string,
): Promise<{ readonly now: number; readonly window: StoredWindow }> {
  const [time, endsAt, counts] = await Promise.all([
    redis.time(),
    redis.pexpiretime(countKey(key)),
    redis.hgetall(countKey(key)),
  ]);
  const window = stored.parse([endsAt, Object.entries(counts).flat()]);
  return { now: Number(time[0]) * 1000 + Math.floor(Number(time[1]) / 1000), window };
}

/**
 * Decides and counts one request in Redis. 'late': Redis ran it after `deadline`, and counted nothing.
 * @returns also the requests that all pods admitted before it
 */
export async function checkInRedis(
  redis: Redis,
  pod: string,
  key: string,
  { deadline, limit, windowMs }: Limit & { readonly deadline: number },
) {
  const reply = await redis.eval(CHECK, 1, countKey(key), pod, deadline, limit, windowMs);
  if (reply === 'late') return 'late' as const;
  const [now, allowed, total, endsAt] = checked.parse(reply);
  return { now, allowed: allowed === 1, total, endsAt };
}

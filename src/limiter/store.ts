/**
 * What the limiter keeps in Redis, how to read it, and how to write it. Everything is under `rl:`; times are
 * milliseconds since the epoch by Redis's own clock.
 *
 * | key                       | type | content                                                               |
 * |---------------------------|------|-----------------------------------------------------------------------|
 * | `rl:limit:<key>`          | hash | `limit`, `windowMs`, `startsAt`, `generation`; kept until replaced.    |
 * |                           |      | After DELETE only `deletedAt`, for an hour, to distinguish a deleted   |
 * |                           |      | definition from one that Redis lost.                                   |
 * | `rl:win:<key>:<windowId>` | hash | node id -> requests that node admitted; the sum is what Redis counted. |
 * |                           |      | Expires at the window's end + 5 minutes, an absolute time, so a write  |
 * |                           |      | that was held back cannot prolong it.                                  |
 *
 * A window id is `<generation>-<index>` and holds no colon; a limited key may hold some. An observer needs
 * no more than HGETALL on the hash that `GET /counter` names as `redisKey`.
 *
 * A limiter needs these rights, and no others: `~rl:* resetchannels -@all +auth +hello +client|setname +ping
 * +info +time +hgetall +hget +hmget +hvals +hset +hincrby +del +pexpireat +eval`.
 *
 * Each write is a Lua script, one atomic step that is safe to run late: Redis may hold it back (CLIENT PAUSE) and run
 * it long after its sender gave up.
 */
import type { Redis } from 'ioredis';
import { z } from 'zod';
import type { Counts, LimitDefinition } from './window.ts';

/** How long a window's counts can be read, and late counts of it written, after its end. */
export const WINDOW_GRACE_MS = 5 * 60_000;

/** Hash that holds the definition of `key`. */
export function limitKey(key: string): string {
  return `rl:limit:${key}`;
}

/** Hash that holds the counts of one window of `key`. */
export function windowKey(key: string, windowId: string): string {
  return `rl:win:${key}:${windowId}`;
}

/** The content of Redis for a key: a definition, the mark of a deleted one, or nothing. */
export type StoredLimit = LimitDefinition | 'deleted' | 'absent';

/** A count or time as stored in Redis. */
const NUMBER = z
  .string()
  .regex(/^\d{1,15}$/)
  .transform(Number);
const DEFINITION = z.object({
  limit: NUMBER,
  windowMs: NUMBER.refine((ms) => ms > 0),
  startsAt: NUMBER,
  generation: z.string().min(1),
});

/** Reads a definition's hash; an incomplete one counts as absent. */
export function parseLimit(key: string, hash: Readonly<Record<string, string>>): StoredLimit {
  if (hash['deletedAt'] !== undefined) return 'deleted';
  const { data } = DEFINITION.safeParse(hash);
  return data ? { key, ...data } : 'absent';
}

/** Reads a window's hash; fields that are not counts are ignored. */
export function parseCounts(hash: Readonly<Record<string, string>>): Counts {
  const counts = Object.entries(hash).map(([node, text]) => [node, NUMBER.safeParse(text).data] as const);
  return new Map(counts.filter((entry): entry is readonly [string, number] => entry[1] !== undefined));
}

/** The stored definition of each key, in the sequence of `keys`. */
export async function readLimits(redis: Redis, keys: readonly string[]): Promise<StoredLimit[]> {
  return await Promise.all(keys.map(async (key) => parseLimit(key, await redis.hgetall(limitKey(key)))));
}

/** The counts in each window, in the sequence of `redisKeys`. */
export async function readCounts(redis: Redis, redisKeys: readonly string[]): Promise<Counts[]> {
  return await Promise.all(redisKeys.map(async (key) => parseCounts(await redis.hgetall(key))));
}

/** Redis's time in milliseconds; inside a script it is the time the script runs, not when it was sent. */
const NOW = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function integer(value) return string.format('%.0f', value) end
`;

/** KEYS: window hashes. ARGV: node id, then for each window its count and when the hash expires. */
const SYNC = `
local replies = {}
for i, key in ipairs(KEYS) do
  local stored = tonumber(redis.call('HGET', key, ARGV[1]) or '0')
  if tonumber(ARGV[2 * i]) > stored then redis.call('HSET', key, ARGV[1], ARGV[2 * i]) end
  redis.call('PEXPIREAT', key, ARGV[2 * i + 1])
  replies[i] = redis.call('HGETALL', key)
end
return replies
`;

/** One window to sync: the count of this node, and when its hash expires. */
export interface SyncedWindow {
  readonly redisKey: string;
  readonly expiresAt: number;
  readonly admitted: number;
}

/** Raises this node's count in each window to at least the one sent. Returns what Redis then holds of each. */
export async function writeCounts(
  redis: Redis,
  node: string,
  windows: readonly SyncedWindow[],
): Promise<Counts[]> {
  const counts = windows.flatMap(({ admitted, expiresAt }) => [admitted, expiresAt]);
  const keys = windows.map(({ redisKey }) => redisKey);
  const reply = await redis.eval(SYNC, keys.length, ...keys, node, ...counts);
  return z
    .array(z.array(z.string()))
    .parse(reply)
    .map((flat) => parseCounts(Object.fromEntries(pairs(flat))));
}

function pairs(flat: readonly string[]): [string, string][] {
  return flat.flatMap((field, i) => (i % 2 === 0 ? [[field, flat[i + 1] ?? ''] as [string, string]] : []));
}

/** KEYS: definition. ARGV: node id, prefix of the name of a window's hash, deadline, grace. */
const CHECK = `${NOW}
if now > tonumber(ARGV[3]) then return {'late'} end
local definition = redis.call('HMGET', KEYS[1], 'limit', 'windowMs', 'startsAt', 'generation')
if not definition[4] then return {'unknown'} end
local limit, windowMs, startsAt = tonumber(definition[1]), tonumber(definition[2]), tonumber(definition[3])
local index = math.max(0, math.floor((now - startsAt) / windowMs))
local endsAt = startsAt + (index + 1) * windowMs
local hash = ARGV[2] .. definition[4] .. '-' .. integer(index)
local total = 0
for _, count in ipairs(redis.call('HVALS', hash)) do total = total + tonumber(count) end
local allowed = total < limit
if allowed then
  redis.call('HINCRBY', hash, ARGV[1], 1)
  redis.call('PEXPIREAT', hash, integer(endsAt + tonumber(ARGV[4])))
end
local own = tonumber(redis.call('HGET', hash, ARGV[1]) or '0')
return {allowed and 'allowed' or 'denied', total, own, limit, windowMs, startsAt, definition[4], now}
`;
const CHECKED = z.union([
  z.tuple([z.enum(['late', 'unknown'])]),
  z.tuple([z.enum(['allowed', 'denied']), z.int(), z.int(), z.int(), z.int(), z.int(), z.string(), z.int()]),
]);

/** The decision of Redis about one request. */
export interface CheckedInRedis {
  readonly allowed: boolean;
  /** Requests counted before this one, by all nodes. */
  readonly total: number;
  /** Requests counted for this node, including this one. */
  readonly own: number;
  readonly definition: LimitDefinition;
  /** When Redis decided. */
  readonly at: number;
}

/** Decides and counts one request in Redis. 'late': Redis ran it after `deadline`, and counted nothing. */
export async function checkInRedis(
  redis: Redis,
  node: string,
  key: string,
  deadline: number,
): Promise<CheckedInRedis | 'late' | 'unknown'> {
  const reply = await redis.eval(
    CHECK,
    1,
    limitKey(key),
    node,
    windowKey(key, ''),
    deadline,
    WINDOW_GRACE_MS,
  );
  const checked = CHECKED.parse(reply);
  if (checked.length === 1) return checked[0];
  const [outcome, total, own, limit, windowMs, startsAt, generation, at] = checked;
  const definition = { key, limit, windowMs, startsAt, generation };
  return { allowed: outcome === 'allowed', total, own, definition, at };
}

/** KEYS: definition. ARGV: limit, window in ms, generation, deadline. */
const DEFINE = `${NOW}
if now > tonumber(ARGV[4]) then return {'late'} end
local previous = redis.call('HMGET', KEYS[1], 'startsAt', 'deletedAt')
local last = tonumber(previous[1] or previous[2] or '0')
local startsAt = math.max(now, last + 1)
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], 'limit', ARGV[1], 'windowMs', ARGV[2],
  'startsAt', integer(startsAt), 'generation', ARGV[3])
return {'ok', startsAt, previous[1] and 1 or 0}
`;
const DEFINED = z.union([z.tuple([z.literal('late')]), z.tuple([z.literal('ok'), z.int(), z.int()])]);

/** Defines a limit and starts its window 0 now. 'late': Redis ran it after `deadline`, and changed nothing. */
export async function defineLimit(
  redis: Redis,
  wanted: Omit<LimitDefinition, 'startsAt'>,
  deadline: number,
): Promise<{ readonly definition: LimitDefinition; readonly replaced: boolean } | 'late'> {
  const args = [wanted.limit, wanted.windowMs, wanted.generation, deadline];
  const [outcome, startsAt, replaced] = DEFINED.parse(
    await redis.eval(DEFINE, 1, limitKey(wanted.key), ...args),
  );
  return outcome === 'late' ? outcome : { definition: { ...wanted, startsAt }, replaced: replaced === 1 };
}

/** KEYS: definition. ARGV: deadline. */
const REMOVE = `${NOW}
if now > tonumber(ARGV[1]) then return 'late' end
local startsAt = redis.call('HGET', KEYS[1], 'startsAt')
if not startsAt then return 'unknown' end
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], 'deletedAt', integer(math.max(now, tonumber(startsAt) + 1)))
redis.call('PEXPIREAT', KEYS[1], integer(now + 3600000))
return 'removed'
`;

/** Removes a definition. 'late': Redis ran it after `deadline`, and changed nothing. */
export async function removeLimit(
  redis: Redis,
  key: string,
  deadline: number,
): Promise<'removed' | 'unknown' | 'late'> {
  return z.enum(['removed', 'unknown', 'late']).parse(await redis.eval(REMOVE, 1, limitKey(key), deadline));
}

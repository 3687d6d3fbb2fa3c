/**
 * The writes, as Lua scripts: each is one atomic step in Redis, and each is safe to run late, because Redis
 * may hold a write back (CLIENT PAUSE) and run it long after its sender gave up.
 */
import { createHash } from 'node:crypto';
import type { Redis } from 'ioredis';

export interface Script {
  readonly lua: string;
  readonly sha: string;
}

function script(lua: string): Script {
  return { lua, sha: createHash('sha1').update(lua).digest('hex') };
}

/** Redis's time in milliseconds; inside a script it is the time the script runs, not when it was sent. */
const NOW = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function integer(value) return string.format('%.0f', value) end
`;

/**
 * Raises this node's count in each window to at least the one sent, and returns each window's HGETALL.
 * KEYS: window hashes. ARGV: node id, then for each window its count and when the hash expires.
 */
export const SYNC = script(`
local replies = {}
for i, key in ipairs(KEYS) do
  local stored = tonumber(redis.call('HGET', key, ARGV[1]) or '0')
  if tonumber(ARGV[2 * i]) > stored then redis.call('HSET', key, ARGV[1], ARGV[2 * i]) end
  redis.call('PEXPIREAT', key, ARGV[2 * i + 1])
  replies[i] = redis.call('HGETALL', key)
end
return replies
`);

/**
 * One strict check. KEYS: definition, window hash. ARGV: node id, generation, when the window ends, the
 * deadline, when the hash expires. Returns {outcome, total, this node's count}; only `allowed` counts.
 */
export const STRICT_CHECK = script(`${NOW}
if now > tonumber(ARGV[4]) then return {'late', 0, 0} end
local definition = redis.call('HMGET', KEYS[1], 'generation', 'limit')
if definition[1] ~= ARGV[2] then return {'changed', 0, 0} end
if now >= tonumber(ARGV[3]) then return {'rolled', 0, 0} end
local total = 0
for _, count in ipairs(redis.call('HVALS', KEYS[2])) do total = total + tonumber(count) end
if total >= tonumber(definition[2]) then
  return {'denied', total, tonumber(redis.call('HGET', KEYS[2], ARGV[1]) or '0')}
end
local own = redis.call('HINCRBY', KEYS[2], ARGV[1], 1)
redis.call('PEXPIREAT', KEYS[2], ARGV[5])
return {'allowed', total + 1, own}
`);

/**
 * Defines a limit and starts its window 0 now. KEYS: definition. ARGV: limit, window in ms, generation,
 * deadline. Returns {'late'} or {'ok', startsAt, 1 when it replaced a definition}.
 */
export const DEFINE = script(`${NOW}
if now > tonumber(ARGV[4]) then return {'late'} end
local previous = redis.call('HMGET', KEYS[1], 'startsAt', 'deletedAt')
local last = tonumber(previous[1] or previous[2] or '0')
local startsAt = math.max(now, last + 1)
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], 'limit', ARGV[1], 'windowMs', ARGV[2],
  'startsAt', integer(startsAt), 'generation', ARGV[3])
return {'ok', startsAt, previous[1] and 1 or 0}
`);

/**
 * Puts a definition back that Redis has lost; one that is there, or marked as deleted, stays as it is.
 * KEYS: definition. ARGV: limit, window in ms, startsAt, generation.
 */
export const RESTORE = script(`
if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
redis.call('HSET', KEYS[1], 'limit', ARGV[1], 'windowMs', ARGV[2], 'startsAt', ARGV[3], 'generation', ARGV[4])
return 1
`);

/** Removes a definition. KEYS: definition. ARGV: deadline. Returns {'late'}, {'unknown'} or {'ok'}. */
export const REMOVE = script(`${NOW}
if now > tonumber(ARGV[1]) then return {'late'} end
local startsAt = redis.call('HGET', KEYS[1], 'startsAt')
if not startsAt then return {'unknown'} end
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], 'deletedAt', integer(math.max(now, tonumber(startsAt) + 1)))
redis.call('PEXPIREAT', KEYS[1], integer(now + 3600000))
return {'ok'}
`);

/**
 * Runs a script by its digest, and by its text where Redis does not have it (yet, or any more).
 * @throws what the connection throws; nothing is retried, the callers know whether they may.
 */
export async function runScript(
  redis: Redis,
  { lua, sha }: Script,
  keys: readonly string[],
  args: readonly (string | number)[],
): Promise<unknown> {
  try {
    return await redis.evalsha(sha, keys.length, ...keys, ...args);
  } catch (error) {
    if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw error;
    return await redis.eval(lua, keys.length, ...keys, ...args);
  }
}

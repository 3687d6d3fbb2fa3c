/** What the Redis of a limiter behind HTTP counts for a caller, as the spec says where. */
import type { Toolkit } from '../../tools.ts';
import { ADDRESS_PLACE, KEY_PLACE } from './schema.ts';

/** 0 where nothing was counted. @throws RedisClientError; TypeError where the spec does not say */
export async function storedCount(
  { callers, limiter, redis }: Pick<Toolkit, 'callers' | 'limiter' | 'redis'>,
  key: string,
): Promise<number> {
  const { count } = limiter.redis;
  if (!count) throw new TypeError('the spec does not say where Redis counts');
  return await redis.count({ ...count, key: callers.fillIn(count.key, key), pattern: patternOf(count.key) });
}

/** What an ACL calls the counts of all demos: `rl:$(key)` is `rl:demo-*`. */
export function patternOf(template: string): string {
  return template
    .replaceAll(/[*?[\]\\]/g, '\\$&')
    .replaceAll(KEY_PLACE, 'demo-*')
    .replaceAll(ADDRESS_PLACE, '198.1[89].*');
}

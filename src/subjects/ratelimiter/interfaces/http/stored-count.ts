/** The count that Redis holds for a caller of a limiter behind HTTP, at the place that the spec names. */
import type { CountPlace } from '@chaosdemo/redis-faults';
import { ADDRESS_PLACE, KEY_PLACE } from '../../spec/http-schema.ts';
import type { Toolkit } from '../../tools.ts';

/** 0 if nothing was counted. @throws RedisClientError; TypeError if the spec does not name the place */
export async function storedCount(
  toolkit: Pick<Toolkit, 'callers' | 'limiter' | 'redis'>,
  key: string,
): Promise<number> {
  return await toolkit.redis.count(placeOf(toolkit, key));
}

/** Where the count of this caller is. @throws TypeError if the spec does not name it */
export function placeOf({ callers, limiter }: Pick<Toolkit, 'callers' | 'limiter'>, key: string): CountPlace {
  const { count } = limiter.redis;
  if (!count) throw new TypeError('the spec does not name where Redis counts');
  return { ...count, key: callers.fillIn(count.key, key), pattern: patternOf(count.key) };
}

/** The ACL pattern for the counts of all demos: `rl:$(key)` is `rl:demo-*`. */
export function patternOf(template: string): string {
  return template
    .replaceAll(/[*?[\]\\]/g, '\\$&')
    .replaceAll(KEY_PLACE, 'demo-*')
    .replaceAll(ADDRESS_PLACE, '198.1[89].*');
}

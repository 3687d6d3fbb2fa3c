/** The count that Redis holds of one caller, at the place that the spec names, and samples of it. */
import { type CountPlace, gaveNoAnswer } from '@chaosdemo/redis-faults';
import { messageOf } from '../../../api/index.ts';
import type { AdmittedByPod, CounterSample } from '../../history/counter-sample.ts';
import { keyPattern } from '../../redis/key-places.ts';
import { ADDRESS_PLACE } from '../spec/http-schema.ts';
import type { Toolkit } from '../tools.ts';

/** What is needed to read counts. */
export type CountTools = Pick<Toolkit, 'callers' | 'limiter' | 'now' | 'redis'>;

/**
 * Reads the count of a caller in Redis; 0 if nothing was counted.
 * @param admittedNow the sender's own count, read first
 * @throws only the reason of `signal`
 */
export async function sampleCounts(
  tools: CountTools,
  key: string,
  admittedNow: () => AdmittedByPod,
  signal: AbortSignal,
): Promise<CounterSample> {
  const { now, redis } = tools;
  const sample = { admitted: admittedNow(), readAt: now(), elsewhere: [] };
  try {
    const stored = await redis.count(placeOf(tools, key));
    signal.throwIfAborted();
    return { ...sample, endedAt: now(), stored, storeSilent: false, problems: [] };
  } catch (error) {
    signal.throwIfAborted();
    const storeSilent = gaveNoAnswer(error);
    return { ...sample, endedAt: now(), stored: undefined, storeSilent, problems: [messageOf(error)] };
  }
}

/** Where the count of this caller is. @throws TypeError if the spec does not name it */
export function placeOf({ callers, limiter }: Pick<Toolkit, 'callers' | 'limiter'>, key: string): CountPlace {
  const { count } = limiter.redis;
  if (!count) throw new TypeError('the spec does not name where Redis counts');
  const pattern = keyPattern(count.key).replaceAll(ADDRESS_PLACE, '198.1[89].*');
  return { ...count, key: callers.fillIn(count.key, key), pattern };
}

/** The count that Redis holds of one caller, at the place that the spec names, and samples of it. */
import { type CountPlace, gaveNoAnswer, type StoreConnections } from '@chaosdemo/redis-faults';
import { pauseFor } from '@chaosdemo/redis-faults/waiting';
import { messageOf, truncate } from '../../../api/index.ts';
import type { AdmittedByPod, CounterSample } from '../../history/counter-sample.ts';
import { keyPattern } from '../../redis/key-places.ts';
import { ADDRESS_PLACE } from '../spec/http-schema.ts';
import type { RateLimiterSpec } from '../spec/schema.ts';
import type { HttpCallers } from './http/http-callers.ts';

export const SAMPLE_EVERY_MS = 100;
/** Two samples begin at least this far apart, however urgent they are. */
const LOOK_APART_MS = 20;
/** Characters of a problem that are kept: there may be one ten times a second. */
const MOST_PROBLEM = 256;

/** What is needed to read counts. */
export interface CountTools {
  readonly callers: HttpCallers;
  readonly limiter: RateLimiterSpec;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly redis: StoreConnections;
}

/**
 * Reads the count of a caller in Redis; 0 if nothing was counted.
 * @param admitted the sender's own count until now
 * @throws only the reason of `signal`
 */
export async function sampleCounts(
  tools: CountTools,
  key: string,
  admitted: AdmittedByPod,
  signal: AbortSignal,
): Promise<CounterSample> {
  const { now, redis } = tools;
  const sample = { admitted, readAt: now(), elsewhere: [] };
  try {
    const stored = Math.min(await redis.count(placeOf(tools, key)), Number.MAX_SAFE_INTEGER);
    signal.throwIfAborted();
    return { ...sample, endedAt: now(), stored, storeSilent: false, problems: [] };
  } catch (error) {
    signal.throwIfAborted();
    const problems = [truncate(messageOf(error), MOST_PROBLEM)];
    return { ...sample, endedAt: now(), storeSilent: gaveNoAnswer(error), problems };
  }
}

/** Where the count of this caller is. @throws TypeError if the spec does not name it */
export function placeOf(
  { callers, limiter }: Pick<CountTools, 'callers' | 'limiter'>,
  key: string,
): CountPlace {
  const { count } = limiter.redis;
  if (!count) throw new TypeError('the spec does not name where Redis counts');
  const pattern = keyPattern(count.key).replaceAll(ADDRESS_PLACE, '198.1[89].*');
  return { ...count, key: callers.fillIn(count.key, key), pattern };
}

/**
 * Samples the counters of a key at a fixed rate, one sample at a time, until `signal` is aborted.
 * @param isUrgent whether the next sample is due at once
 */
export async function watchCounters(
  look: (signal: AbortSignal) => Promise<CounterSample>,
  onSample: (sample: CounterSample) => void,
  signal: AbortSignal,
  { everyMs = SAMPLE_EVERY_MS, isUrgent = (): boolean => false } = {},
): Promise<void> {
  const start = performance.now();
  try {
    for (;;) {
      onSample(await look(signal));
      const sinceLast = (performance.now() - start) % everyMs;
      const dueAt = performance.now() + everyMs - sinceLast;
      const left = (): number => Math.max(0, dueAt - performance.now());
      do await pauseFor(Math.min(LOOK_APART_MS, left()), signal);
      while (left() > 0 && !isUrgent());
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

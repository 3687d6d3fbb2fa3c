/** A sample of the counts of one caller: the sender's own, and that in Redis. */
import { gaveNoAnswer } from '@chaosdemo/redis-faults';
import { messageOf } from '../../../api/index.ts';
import type { AdmittedByPod, CounterSample } from '../history/counter-sample.ts';
import type { Toolkit } from '../tools.ts';
import { storedCount } from './http/stored-count.ts';

/**
 * Reads the count of a caller in Redis.
 * @param admittedNow the sender's own count, read first
 * @throws only the reason of `signal`
 */
export async function sampleCounts(
  parts: Pick<Toolkit, 'callers' | 'limiter' | 'now' | 'redis'>,
  key: string,
  admittedNow: () => AdmittedByPod,
  signal: AbortSignal,
): Promise<CounterSample> {
  const { now } = parts;
  const [admitted, readAt] = [admittedNow(), now()];
  let stored: number | undefined;
  let storeSilent = false;
  const problems: string[] = [];
  try {
    stored = await storedCount(parts, key);
  } catch (error) {
    storeSilent = gaveNoAnswer(error);
    problems.push(messageOf(error));
  }
  signal.throwIfAborted();
  return { readAt, endedAt: now(), admitted, stored, storeSilent, elsewhere: [], problems };
}

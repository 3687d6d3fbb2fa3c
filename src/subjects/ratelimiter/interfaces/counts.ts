/** Where the counts of one caller are read: the pods' counters and Redis, or the sender's own count and Redis. */
import { messageOf } from '../../../api/index.ts';
import { gaveNoAnswer } from '../../redis/client/redis-error.ts';
import type { AdmittedByPod, CounterSample, CountSource } from '../history/counter-sample.ts';
import type { Toolkit } from '../tools.ts';
import { storedCount } from './http/stored-count.ts';

export interface Counts {
  readonly source: CountSource;
  /**
   * One sample of a caller's counts.
   * @param admitted the sender's own count, read first
   * @throws only the reason of `signal`
   */
  sample(key: string, admitted: () => AdmittedByPod, signal: AbortSignal): Promise<CounterSample>;
}

/** The pods' counters if they report any, else the count in Redis that the spec names. */
export function countsOf(
  parts: Pick<Toolkit, 'callers' | 'limiter' | 'now' | 'redis' | 'reference'>,
): Counts {
  const { now, reference } = parts;
  if (reference) {
    return { source: 'Nodes', sample: async (key, _, signal) => await reference.sample(key, signal) };
  }
  return {
    source: 'Sender',
    async sample(key, admittedNow, signal) {
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
    },
  };
}

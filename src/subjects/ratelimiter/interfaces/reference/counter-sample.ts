/** Samples the counters that the pods of the bundled limiter report, then what Redis counted. */
import { messageOf } from '../../../../api/index.ts';
import type { RedisConnections } from '../../../redis/client/redis-client.ts';
import { gaveNoAnswer } from '../../../redis/client/redis-error.ts';
import type { CounterSample } from '../../history/counter-sample.ts';
import { type LimiterClient, LimiterClientError, type LimiterFailure } from './limiter-client.ts';

/** Failures of a pod that answered, and of this process, which sent nothing. */
const ANSWERED: ReadonlySet<LimiterFailure> = new Set(['REFUSED', 'BAD_ANSWER']);
const UNSENT: ReadonlySet<LimiterFailure> = new Set(['NO_CONNECTIONS', 'NOT_SENT']);

/** A key, and the window that its counters have to belong to. */
export interface SampledWindow {
  readonly key: string;
  readonly windowId: string;
}

/** Takes a sample, with its failures. @throws only the reason of `signal` */
export async function sampleCounters(
  clients: readonly LimiterClient[],
  redis: RedisConnections,
  { key, windowId }: SampledWindow,
  now: () => number,
  signal: AbortSignal,
): Promise<CounterSample> {
  const admitted = new Map<string, number>();
  const elsewhere: string[] = [];
  const improper: string[] = [];
  const notQueried: string[] = [];
  const problems: string[] = [];
  const redisKeys = new Set<string>();
  await Promise.all(
    clients.map(async (client) => {
      try {
        const answer = await client.counter(key, signal);
        if (answer?.windowId === windowId) {
          admitted.set(client.name, answer.admitted);
          redisKeys.add(answer.redisKey);
        } else {
          elsewhere.push(client.name);
        }
      } catch (error) {
        const failure = error instanceof LimiterClientError ? error.failure : undefined;
        if (failure !== undefined && ANSWERED.has(failure)) improper.push(client.name);
        if (failure !== undefined && UNSENT.has(failure)) notQueried.push(client.name);
        problems.push(messageOf(error));
      }
    }),
  );
  signal.throwIfAborted();
  const readAt = now();
  let stored: number | undefined;
  let storeSilent = false;
  const [redisKey] = redisKeys;
  if (redisKeys.size > 1) {
    problems.push(`the pods name ${redisKeys.size} different hashes in Redis for one window of ${key}`);
  } else if (redisKey !== undefined) {
    try {
      stored = sumOf(await redis.hgetall(redisKey));
    } catch (error) {
      storeSilent = gaveNoAnswer(error);
      problems.push(messageOf(error));
    }
  }
  signal.throwIfAborted();
  return { readAt, endedAt: now(), admitted, stored, storeSilent, elsewhere, improper, notQueried, problems };
}

/** Sum of the counts in a window's hash; fields that are not a count are left out. */
function sumOf(hash: Readonly<Record<string, string>>): number {
  return Object.values(hash).reduce(
    (sum, value) => (/^\d{1,15}$/.test(value) ? sum + Number(value) : sum),
    0,
  );
}

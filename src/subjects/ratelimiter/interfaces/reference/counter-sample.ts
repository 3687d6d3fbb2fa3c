/**
 * One look at all counters of a key: what every node admitted first, what Redis
 * counted after that. Read in this order the difference can only come out too
 * small, never too large: Redis may have caught up in between.
 */

import { messageOf } from '../../../../api/index.ts';
import type { RedisConnections } from '../../store/redis-client.ts';
import { gaveNoAnswer } from '../../store/redis-error.ts';
import { type LimiterClient, LimiterClientError, type LimiterFailure } from './limiter-client.ts';

/** Failures of a node that answered. */
const ANSWERED: ReadonlySet<LimiterFailure> = new Set(['REFUSED', 'INVALID']);

export interface CounterSample {
  /** When the last node had answered, in milliseconds since the epoch. */
  readonly readAt: number;
  /** When Redis had answered too. */
  readonly endedAt: number;
  /** What each node that answered for the window has admitted. */
  readonly admitted: ReadonlyMap<string, number>;
  /** What Redis, or the node of `toldBy`, counted in the window over all nodes; undefined when it could not be read. */
  readonly stored: number | undefined;
  /** Whether Redis was asked, and gave no answer at all. */
  readonly storeSilent?: boolean;
  /** The node whose answer told what was counted, where Redis was not asked for it. */
  readonly toldBy?: string;
  /** Nothing more is to be told by now, of what was admitted so far; the problems say what never was. */
  readonly idle?: boolean;
  /** Nodes that answered for another window, or do not know the key any more. */
  readonly elsewhere: readonly string[];
  /** Nodes that gave an answer which is none to the question. */
  readonly improper?: readonly string[];
  /** Nodes that were not asked, since this machine made no connection: that says nothing of them. */
  readonly unasked?: readonly string[];
  /** Why something is missing. */
  readonly problems: readonly string[];
}

/** What the key's window is called, and where Redis counts it once a node has said so. */
export interface SampledWindow {
  readonly key: string;
  readonly windowId: string;
}

/** Takes a sample. Failures are part of it; @throws only the reason of `signal`. */
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
  const unasked: string[] = [];
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
        if (failure === 'UNSENT') unasked.push(client.name);
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
    problems.push(`the nodes name ${redisKeys.size} different hashes in Redis for one window of ${key}`);
  } else if (redisKey !== undefined) {
    try {
      stored = sumOf(await redis.hgetall(redisKey));
    } catch (error) {
      storeSilent = gaveNoAnswer(error);
      problems.push(messageOf(error));
    }
  }
  signal.throwIfAborted();
  return { readAt, endedAt: now(), admitted, stored, storeSilent, elsewhere, improper, unasked, problems };
}

/** Sum of the counts in a window's hash; fields that are no count are left out. */
function sumOf(hash: Readonly<Record<string, string>>): number {
  return Object.values(hash).reduce(
    (sum, value) => (/^\d{1,15}$/.test(value) ? sum + Number(value) : sum),
    0,
  );
}

/** What the nodes admitted altogether. */
export function totalAdmitted(sample: CounterSample): number {
  return [...sample.admitted.values()].reduce((sum, count) => sum + count, 0);
}

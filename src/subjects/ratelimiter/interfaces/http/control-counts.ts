/** The control of a count: whether the counters that a fault is compared with are right for one caller. */
import { counted } from '../../../../api/index.ts';
import { pauseFor } from '../../../waiting.ts';
import {
  type AdmittedByPod,
  type CounterSample,
  missingIn,
  totalAdmitted,
} from '../../history/counter-sample.ts';
import type { Toolkit } from '../../tools.ts';
import { perPod, sumOf } from '../../words.ts';
import { countsOf } from '../counts.ts';

/** How long the count may take to reach all that was admitted; milliseconds. */
const REST_MS = 5000;
const POLL_MS = 50;

type Parts = Pick<Toolkit, 'callers' | 'limiter' | 'now' | 'podClients' | 'redis' | 'reference'>;

/** The requests of one caller, all answered. */
export interface CountedCaller {
  readonly admitted: AdmittedByPod;
  readonly sent: number;
}

/**
 * The count that Redis holds of a caller. A limiter behind HTTP may also count rejections.
 * @throws Error with the counts that differ, and the field to set
 */
export async function settledCount(
  parts: Parts,
  key: string,
  caller: CountedCaller,
  signal: AbortSignal,
): Promise<number> {
  const counts = countsOf(parts);
  const pods = parts.podClients.length;
  const deadline = performance.now() + REST_MS;
  for (;;) {
    const sample = await counts.sample(key, () => caller.admitted, signal);
    const { admitted, stored, storeSilent } = sample;
    const problem =
      missingIn(sample, pods) ??
      (counts.source === 'Nodes'
        ? podsProblem(sample, caller, parts)
        : countProblem(sample, key, caller, parts));
    if (problem === undefined) return stored ?? 0;
    // Redis answered with something other than a count: a right is missing, or the type differs. Waiting does not help.
    const isRefused = admitted.size >= pods && stored === undefined && storeSilent === false;
    if (isRefused || performance.now() >= deadline) throw new Error(`without any fault ${problem}`);
    await pauseFor(POLL_MS, signal);
  }
}

/** Why the counts of the sender, the pods and Redis differ; undefined: they are equal. Pure. */
export function podsProblem(
  sample: CounterSample,
  { admitted, sent }: CountedCaller,
  { redis }: Pick<Parts, 'redis'>,
): string | undefined {
  const { admitted: byPods, stored = 0 } = sample;
  const sender = sumOf(admitted.values());
  const isEqual = [...admitted].every(([pod, count]) => byPods.get(pod) === count);
  if (isEqual && stored === sender) return undefined;
  return `the sender was admitted ${sender} of ${counted(sent, 'check')} (${perPod(admitted)}), the pods count ${totalAdmitted(sample)} (${perPod(byPods)}), and ${redis.name} holds ${stored}. Name the Redis in which the rate limiter counts in rateLimiter.redis; else see whether the pods are behind something that answers in their place, or another client uses keys that begin with demo-`;
}

function countProblem(
  { stored = 0 }: CounterSample,
  key: string,
  { admitted, sent }: CountedCaller,
  { callers, limiter, redis }: Parts,
): string | undefined {
  const total = sumOf(admitted.values());
  if (stored >= total && stored <= sent) return undefined;
  const { key: template = '', type = '' } = limiter.redis.count ?? {};
  return `${redis.name} counts ${stored} at ${callers.fillIn(template, key)} (${type}), and of ${counted(sent, 'request')} of that caller ${total} were admitted: correct rateLimiter.redis.count (a count that only grows, of one caller), or rateLimiter.redis.service`;
}

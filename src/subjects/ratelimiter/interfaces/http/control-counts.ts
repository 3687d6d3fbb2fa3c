/** The control of a count: whether the counters that a fault is compared with are right for one caller. */
import { pauseFor } from '@chaosdemo/redis-faults/waiting';
import { counted } from '../../../../api/index.ts';
import { type AdmittedByPod, type CounterSample, missingIn } from '../../history/counter-sample.ts';
import { sumOf } from '../../history/counts.ts';
import type { Toolkit } from '../../tools.ts';
import { sampleCounts } from '../counts.ts';

/** How long the count may take to reach all that was admitted; milliseconds. */
const REST_MS = 5000;
const POLL_MS = 50;

type Parts = Pick<Toolkit, 'callers' | 'limiter' | 'now' | 'redis'>;

/** The requests of one caller, all answered. */
export interface CountedCaller {
  readonly admitted: AdmittedByPod;
  readonly sent: number;
}

/**
 * The count that Redis holds of a caller. A limiter may also count rejections.
 * @throws Error with the counts that differ, and the field to set
 */
export async function settledCount(
  parts: Parts,
  key: string,
  caller: CountedCaller,
  signal: AbortSignal,
): Promise<number> {
  const deadline = performance.now() + REST_MS;
  for (;;) {
    const sample = await sampleCounts(parts, key, () => caller.admitted, signal);
    const { stored, storeSilent } = sample;
    const problem = missingIn(sample) ?? countProblem(sample, key, caller, parts);
    if (problem === undefined) return stored ?? 0;
    // Redis answered with something other than a count: a right is missing, or the type differs. Waiting does not help.
    const isRefused = stored === undefined && storeSilent === false;
    if (isRefused || performance.now() >= deadline) throw new Error(`without any fault ${problem}`);
    await pauseFor(POLL_MS, signal);
  }
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
  const remedy = limiter.isBundled
    ? 'correct'
    : 'correct rateLimiter.redis.count (a count that only grows, of one caller), or';
  return `${redis.name} counts ${stored} at ${callers.fillIn(template, key)} (${type}), and of ${counted(sent, 'request')} of that caller ${total} were admitted: ${remedy} rateLimiter.redis.service`;
}

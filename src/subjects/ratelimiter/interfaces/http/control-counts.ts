/**
 * The controls of a count that a fault is held against: that Redis counts a caller where the spec says, and how far
 * it lies behind the sender without a fault, at the rate of the fault's traffic.
 */

import { counted, messageOf } from '../../../../api/index.ts';
import type { Lag } from '../../baseline.ts';
import type { Toolkit } from '../../faults/fault.ts';
import { admittedAtOnce } from '../../limits/rate-limit.ts';
import { untilItFits } from '../../limits/window-turn.ts';
import { pauseFor } from '../../waiting.ts';
import type { CounterSample } from '../reference/counter-sample.ts';
import { watchCounters } from '../reference/counter-watch.ts';
import { runSteadyTraffic, type TrafficListener, type TrafficNode } from '../steady-traffic.ts';
import { leftOutShortfall } from '../traffic-room.ts';
import { askingNode } from './asking-node.ts';
import { limitOf } from './limit-of-spec.ts';
import { storedCount } from './stored-count.ts';

/** How long the count may take to hold all that was let through; milliseconds. */
const REST_MS = 5000;
const ASK_AGAIN_MS = 50;
/** How long the count is watched at each rate, at least, and at most where it is slow to read; milliseconds. */
const LAG_MS = 1000;
const LAG_WITHIN_MS = 15_000;
/** No whole part of the time in which limiters share their counts. */
const SAMPLE_EVERY_MS = 70;
const MIN_SAMPLES = 5;

type Parts = Pick<Toolkit, 'askers' | 'callers' | 'limiter' | 'now' | 'redis' | 'room' | 'timeoutMs'>;

/**
 * What Redis holds of a caller of whose `sent` requests `admitted` were let through. A limiter may count those that
 * it denies, too.
 * @throws Error that says what does not fit, and which field to set
 */
export async function countAtRest(
  parts: Parts,
  key: string,
  { admitted, sent }: { readonly admitted: number; readonly sent: number },
  signal: AbortSignal,
): Promise<number> {
  const deadline = performance.now() + REST_MS;
  for (;;) {
    const stored = await storedCount(parts, key);
    signal.throwIfAborted();
    if (stored >= admitted && stored <= sent) return stored;
    if (stored > sent || performance.now() >= deadline) {
      throw new Error(countProblem(parts, key, { stored, admitted, sent }));
    }
    await pauseFor(ASK_AGAIN_MS, signal);
  }
}

function countProblem(
  { callers, limiter, redis }: Parts,
  key: string,
  { admitted, sent, stored }: { readonly stored: number; readonly admitted: number; readonly sent: number },
): string {
  const { key: template = '', type = '' } = limiter.redis.count ?? {};
  const where = `${redis.name} counts ${stored} at ${callers?.fillIn(template, key)} (${type})`;
  const went = `of ${counted(sent, 'request')} of that caller ${admitted} were let through`;
  return `without any fault ${where}, and ${went}: correct subject.rateLimiter.redis.count (a count that only grows, of one caller), or subject.rateLimiter.redis.service`;
}

/**
 * The furthest that Redis was behind what the sender was allowed, under steady traffic of callers within their limit.
 * @throws Error where the count could not be read often enough
 */
export async function measureLag(
  parts: Parts,
  keyPrefix: string,
  requestsPerSecond: number,
  signal: AbortSignal,
): Promise<Lag> {
  const { askers, callers, limiter, now, room, timeoutMs } = parts;
  if (!callers) throw new TypeError('there are no callers');
  const limit = limitOf(limiter);
  await untilItFits(limit, LAG_WITHIN_MS, now, signal);
  const each = admittedAtOnce(limit);
  const admitted = new Map<string, number>();
  let sent = 0;
  const keyAt = (index: number): string => `${keyPrefix}-${Math.floor(index / each)}`;
  const nodes = askers.map(
    (client): TrafficNode => ({
      name: client.node.name,
      async check(lifetime) {
        const key = keyAt(sent);
        sent += 1;
        const outcome = await askingNode(client, callers, () => key, timeoutMs).check(lifetime);
        if (outcome === 'Allowed') admitted.set(key, (admitted.get(key) ?? 0) + 1);
        return outcome;
      },
    }),
  );
  const look = async (): Promise<CounterSample> => {
    const key = keyAt(Math.max(0, sent - 1));
    const before = admitted.get(key) ?? 0;
    const readAt = now();
    const read = await storedCount(parts, key).then(
      (stored) => ({ stored, problems: [] }),
      (error: unknown) => ({ stored: undefined, problems: [messageOf(error)] }),
    );
    return { readAt, endedAt: now(), admitted: new Map([[key, before]]), elsewhere: [], ...read };
  };
  let lag = 0;
  let samples = 0;
  let problem: string | undefined;
  const take = ({ admitted: before, problems, stored }: CounterSample): void => {
    problem = problems[0] ?? problem;
    if (stored === undefined) return;
    samples += 1;
    for (const count of before.values()) lag = Math.max(lag, count - stored);
  };
  const enough = new AbortController();
  const stop = AbortSignal.any([signal, enough.signal]);
  const watch = watchCounters(look, take, stop, { everyMs: SAMPLE_EVERY_MS });
  let leftOut = 0;
  const listener: TrafficListener = {
    sent: () => undefined,
    answered: () => undefined,
    unanswered: () => undefined,
    leftOut() {
      leftOut += 1;
    },
  };
  const traffic = runSteadyTraffic({ nodes, requestsPerSecond, room }, listener, stop, signal);
  const start = performance.now();
  try {
    do await pauseFor(LAG_MS, signal);
    while (samples < MIN_SAMPLES && problem === undefined && performance.now() - start < LAG_WITHIN_MS);
  } finally {
    enough.abort();
    await Promise.all([watch, traffic]);
  }
  if (leftOut > 0) throw new Error(leftOutShortfall(leftOut));
  if (samples >= MIN_SAMPLES) return { lag, samples };
  throw new Error(
    `what Redis counts could be read only ${counted(samples, 'time')} without any fault: ${problem ?? 'Redis answers too slowly'}`,
  );
}

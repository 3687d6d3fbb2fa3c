/**
 * The controls of a count that a fault is held against: that Redis counts a caller where the spec says, and how far
 * it lies behind the sender without a fault, at the rate of the fault's traffic.
 */

import { counted, messageOf } from '../../../../api/index.ts';
import type { Lag } from '../../baseline.ts';
import { pauseFor } from '../../waiting.ts';
import type { CounterSample } from '../reference/counter-sample.ts';
import { watchCounters } from '../reference/counter-watch.ts';
import type { TrafficNode } from '../steady-traffic.ts';
import { askingNode } from './asking-node.ts';
import {
  type LagParts,
  type LagSeen,
  type LagSource,
  type LagTraffic,
  lagUnderTraffic,
} from './lag-traffic.ts';
import { storedCount } from './stored-count.ts';

/** How long the count may take to hold all that was let through; milliseconds. */
const REST_MS = 5000;
const ASK_AGAIN_MS = 50;
/** No whole part of the time in which limiters share their counts. */
const SAMPLE_EVERY_MS = 70;

/**
 * What Redis holds of a caller of whose `sent` requests `admitted` were let through. A limiter may count those that
 * it denies, too.
 * @throws Error that says what does not fit, and which field to set
 */
export async function countAtRest(
  parts: LagParts,
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
  { callers, limiter, redis }: LagParts,
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
export async function measureLag(parts: LagParts, traffic: LagTraffic, signal: AbortSignal): Promise<Lag> {
  const { askers, callers, now, timeoutMs } = parts;
  if (!callers) throw new TypeError('there are no callers');
  const admitted = new Map<string, number>();
  let current = '';
  const nodes: LagSource['nodes'] = (keyAt) => {
    let sent = 0;
    current = keyAt(0);
    return askers.map(
      (client): TrafficNode => ({
        name: client.node.name,
        async check(lifetime) {
          const key = keyAt(sent);
          current = key;
          sent += 1;
          const outcome = await askingNode(client, callers, () => key, timeoutMs).check(lifetime);
          if (outcome === 'Allowed') admitted.set(key, (admitted.get(key) ?? 0) + 1);
          return outcome;
        },
      }),
    );
  };
  const look = async (): Promise<CounterSample> => {
    const key = current;
    const before = admitted.get(key) ?? 0;
    const readAt = now();
    const read = await storedCount(parts, key).then(
      (stored) => ({ stored, problems: [] }),
      (error: unknown) => ({ stored: undefined, problems: [messageOf(error)] }),
    );
    return { readAt, endedAt: now(), admitted: new Map([[key, before]]), elsewhere: [], ...read };
  };
  let seen: LagSeen = { lag: 0, samples: 0 };
  const take = ({ admitted: before, problems, stored }: CounterSample): void => {
    const { lag, problem, samples } = seen;
    if (stored === undefined) seen = { ...seen, problem: problems[0] ?? problem };
    else
      seen = {
        ...seen,
        lag: Math.max(lag, ...[...before.values()].map((n) => n - stored)),
        samples: samples + 1,
      };
  };
  const source: LagSource = {
    nodes,
    get seen() {
      return seen;
    },
    alongside: async (stop) => await watchCounters(look, take, stop, { everyMs: SAMPLE_EVERY_MS }),
    tooLittle: 'what Redis counts could be read',
    slow: 'Redis answers too slowly',
  };
  return await lagUnderTraffic(parts, traffic, source, signal);
}

/**
 * The controls of a count that a fault is held against: that it counts one caller as it should, and how far it lies
 * behind what was admitted without a fault, at the rate of the fault's traffic.
 */

import { counted } from '../../../../api/index.ts';
import type { Lag } from '../../baseline.ts';
import type { AdmittedByNode } from '../../history/counter-sample.ts';
import { type CounterSample, missingIn, totalAdmitted } from '../../history/counter-sample.ts';
import { pauseFor } from '../../waiting.ts';
import { perNode, sumOf } from '../../words.ts';
import { gotOf } from '../caller-request.ts';
import { watchCounters } from '../counter-watch.ts';
import { countsOf } from '../counts.ts';
import {
  type LagParts,
  type LagSeen,
  type LagSource,
  type LagTraffic,
  lagUnderTraffic,
} from './lag-traffic.ts';

/** How long the count may take to hold all that was admitted; milliseconds. */
const REST_MS = 5000;
const ASK_AGAIN_MS = 50;
/** No whole part of the time in which limiters share their counts. */
const SAMPLE_EVERY_MS = 70;

/** The requests of one caller, to which nothing is sent any more. */
export interface CountedCaller {
  /** What it was admitted. */
  readonly allowed: AdmittedByNode;
  readonly sent: number;
}

/**
 * What Redis holds of a caller. A limiter behind HTTP may count what it rejects, too.
 * @throws Error that says what does not fit, and which field to set
 */
export async function countAtRest(
  parts: LagParts,
  key: string,
  caller: CountedCaller,
  signal: AbortSignal,
): Promise<number> {
  const counts = countsOf(parts);
  const deadline = performance.now() + REST_MS;
  for (;;) {
    const sample = await counts.sample(key, () => caller.allowed, signal);
    const problem =
      missingIn(sample, parts.podClients.length) ??
      (counts.source === 'Nodes'
        ? nodesProblem(sample, caller, parts)
        : countProblem(sample, key, caller, parts));
    if (problem === undefined) return sample.stored ?? 0;
    if (refused(sample, parts.podClients.length) || performance.now() >= deadline)
      throw new Error(`without any fault ${problem}`);
    await pauseFor(ASK_AGAIN_MS, signal);
  }
}

/** Whether Redis answered something else than a count: a right is missing, or the type differs. Waiting does not help. */
function refused({ admitted, stored, storeSilent }: CounterSample, pods: number): boolean {
  return admitted.size >= pods && stored === undefined && storeSilent === false;
}

/** Why the counters of the pods, the count of Redis and that of the sender do not fit together; undefined: they do. Pure. */
export function nodesProblem(
  sample: CounterSample,
  { allowed, sent }: CountedCaller,
  { redis }: Pick<LagParts, 'redis'>,
): string | undefined {
  const { admitted, stored = 0 } = sample;
  const [nodes, sender] = [totalAdmitted(sample), sumOf(allowed.values())];
  if ([...allowed].some(([node, count]) => admitted.get(node) !== count)) {
    return `the sender was allowed ${sender} of ${counted(sent, 'check')} (${perNode(allowed)}), and the nodes count ${nodes} (${perNode(admitted)}): see whether the pods are behind something that answers in their place, or somebody else uses keys that begin with demo-`;
  }
  if (stored > nodes) {
    return `${redis.name} holds ${stored}, more than the ${nodes} that the nodes admitted: see whether other processes than the selected pods count under the same keys, or a pod was restarted during Setup`;
  }
  if (stored === nodes) return undefined;
  const elsewhere = stored === 0 ? 'the rate limiter counts elsewhere: ' : '';
  return `${elsewhere}spec.rateLimiter.redis names ${redis.name}, which holds ${stored === 0 ? 'none' : stored} of the ${nodes} that the nodes admitted. Name the Redis in which the rate limiter counts`;
}

function countProblem(
  { stored = 0 }: CounterSample,
  key: string,
  { allowed, sent }: CountedCaller,
  { callers, limiter, redis }: LagParts,
): string | undefined {
  const admitted = sumOf(allowed.values());
  if (stored >= admitted && stored <= sent) return undefined;
  const { key: template = '', type = '' } = limiter.redis.count ?? {};
  const where = `${redis.name} counts ${stored} at ${callers.fillIn(template, key)} (${type})`;
  const went = `of ${counted(sent, 'request')} of that caller ${admitted} were admitted`;
  return `${where}, and ${went}: correct rateLimiter.redis.count (a count that only grows, of one caller), or rateLimiter.redis.service`;
}

/**
 * The furthest that counts were behind what was admitted, under steady traffic of callers under their limit.
 * @throws Error if the counts could not be read often enough
 */
export async function measureLag(parts: LagParts, traffic: LagTraffic, signal: AbortSignal): Promise<Lag> {
  const { callers } = parts;
  const counts = countsOf(parts);
  const pods = counts.source === 'Nodes' ? parts.podClients.length : 1;
  const admitted = new Map<string, number>();
  let current = '';
  const sending: LagSource['sending'] = ({ key }) => {
    current = key;
    return (asked) => {
      if (gotOf(asked, callers)?.outcome === 'Admitted') admitted.set(key, (admitted.get(key) ?? 0) + 1);
    };
  };
  const look = async (end: AbortSignal): Promise<CounterSample> => {
    const key = current;
    return await counts.sample(key, () => new Map([[key, admitted.get(key) ?? 0]]), end);
  };
  let seen: LagSeen = { lag: 0, samples: 0 };
  const take = (sample: CounterSample): void => {
    const { stored } = sample;
    const problem = missingIn(sample, pods);
    seen =
      stored === undefined || problem !== undefined
        ? { ...seen, problem: problem ?? seen.problem }
        : {
            ...seen,
            lag: Math.max(seen.lag, totalAdmitted(sample) - stored),
            samples: seen.samples + 1,
          };
  };
  const source: LagSource = {
    sending,
    get seen() {
      return seen;
    },
    async alongside(first, stop) {
      current = first;
      await watchCounters(look, take, stop, { everyMs: SAMPLE_EVERY_MS });
    },
    tooLittle: counts.source === 'Nodes' ? 'the counters could be read' : 'what Redis counts could be read',
    slow: 'they are read too slowly',
  };
  return await lagUnderTraffic(parts, traffic, source, signal);
}

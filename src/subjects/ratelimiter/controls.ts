/**
 * The controls of the experiment, made on keys of their own before any fault: that
 * the rate limiter admits, that it counts in the very Redis that is to be paused, and
 * that it denies beyond the limit. Without them a result would say nothing: whoever
 * denies everything never admits too much. Pure: how the figures are come by is not
 * of this file.
 */
import type { Measure, MeasureApi } from '../../api/index.ts';
import { counted } from '../../api/index.ts';
import { perNode, sumOf } from './words.ts';

/** The keys that controls are made on. */
export interface ControlKeys {
  /** On which the limiter has to admit and to count. */
  readonly counting: string;
  /** On which it has to deny. */
  readonly denying: string;
}

/** The keys of a control fixture: whoever knows its name can remove them. */
export function controlKeys(fixture: string): ControlKeys {
  return { counting: `${fixture}-counting`, denying: `${fixture}-denying` };
}

/** What was admitted on a key to which nothing is sent any more, as told by all who can tell. */
export interface Counting {
  /** Checks that were sent, and those of them that nobody answered properly. */
  readonly sent: number;
  readonly open: number;
  /** Those that a node answered, but could not decide: turned away for lack of an answer from Redis in time. */
  readonly refused: number;
  /** Yeses that the sender got, by node. */
  readonly allowed: ReadonlyMap<string, number>;
  /** What each node says to have admitted. */
  readonly admitted: ReadonlyMap<string, number>;
  /** What Redis holds. */
  readonly stored: number;
  /** How long the counters were given to come to rest; milliseconds. */
  readonly withinMs: number;
}

/** More checks than the limit allows, without a fault and spread over time. */
export interface Denying {
  readonly limit: number;
  readonly sent: number;
  readonly allowed: number;
  /** Those that were answered with a no; the others got an error, or no answer. */
  readonly denied: number;
  /** What was asked and came back where that was neither yes nor no, the first of them. */
  readonly problem?: string;
}

/** Why it is not shown that the limiter admits, and counts in Redis (`store`); undefined: it is. */
export function countingProblem(counting: Counting, store: string): string | undefined {
  const { sent, open, admitted, refused, stored, withinMs } = counting;
  const allowed = sumOf(counting.allowed.values());
  const nodes = sumOf(admitted.values());
  if (open > 0) {
    return `${counted(open, 'check')} of ${sent} got no proper answer without any fault: see the logs of the rate limiter, or raise subject.rateLimiter.health.timeout`;
  }
  if (allowed === 0) {
    return `the rate limiter allowed none of ${counted(sent, 'check')} on a fresh key that allows more: what denies everything never admits too much, so nothing could be found out. See why it denies them`;
  }
  const differing = [...counting.allowed].filter(([node, count]) => admitted.get(node) !== count);
  if (differing.length > 0) {
    return `the sender was allowed ${allowed} of ${counted(sent, 'check')} (${perNode(counting.allowed)}), and the nodes count ${nodes} (${perNode(admitted)}): see whether the pods are behind something that answers in their place, or somebody else uses keys that begin with demo-`;
  }
  if (stored > nodes) {
    const why =
      refused > 0
        ? `The nodes turned ${counted(refused, 'check')} away with a failure: where Redis itself decides, one whose answer comes too late is counted there and not admitted. See why Redis answers late (the processor time of Redis and of the nodes, the network), or raise the deadline of a check in the rate limiter`
        : 'See whether other processes than the selected pods count under the same keys, or whether a pod was restarted meanwhile';
    return `${store} holds ${stored}, which is more than the ${nodes} that the nodes admitted, ${withinMs} ms after the last check and without any fault. ${why}`;
  }
  if (stored !== nodes) {
    const elsewhere =
      stored === 0
        ? `the rate limiter counts elsewhere: spec.subject.rateLimiter.redis names ${store}, which holds none`
        : `spec.subject.rateLimiter.redis names ${store}, which holds ${stored}`;
    return `${elsewhere} of the ${nodes} that the nodes admitted, ${withinMs} ms after the last check and without any fault. Name the Redis in which the rate limiter counts`;
  }
  return undefined;
}

/** Whether the limiter turned anybody away whom the limit did not cover: an error, or no answer, is no denial. */
export function denies({ denied }: Denying): boolean {
  return denied > 0;
}

/** Why it is not known whether the limiter denies; undefined: it is, though it may deny nobody. */
export function denyingProblem(denying: Denying): string | undefined {
  const { allowed, limit, sent } = denying;
  const failed = failedOf(denying);
  if (denies(denying) || failed === 0) return undefined;
  return `it is not shown that the rate limiter denies: without any fault ${allowed} of ${counted(sent, 'check')} on a key with limit ${limit} were allowed, none was denied, and ${failed} had another answer or none${firstOf(denying)}, which is no denial. Over its limit it has to answer 429 with allowed false: see in the logs why it failed, or raise subject.rateLimiter.health.timeout`;
}

/** What the controls showed, in a sentence. */
export function denyingSentence(denying: Denying): string {
  const { allowed, limit, sent } = denying;
  const kept = denies(denying) ? '' : ': it denies nobody even without a fault';
  const failed = failedOf(denying);
  const others = failed > 0 ? `; ${failed} had neither a yes nor a no${firstOf(denying)}` : '';
  return `Without a fault, ${allowed} of ${counted(sent, 'check')} spread over time were allowed where the limit was ${limit}${kept}${others}`;
}

function failedOf({ allowed, denied, sent }: Denying): number {
  return Math.max(0, sent - allowed - denied);
}

function firstOf({ problem }: Denying): string {
  return problem === undefined ? '' : ` (${problem})`;
}

/** Documents {@link controlMeasure}. */
export const CONTROL_MEASURE: MeasureApi = {
  name: 'controlAdmitted',
  unit: 'requests',
  meaning:
    'Checks that were allowed in Setup, without a fault and spread over time, of more than the limit. Above its bound, the limit of the control key, the rate limiter does not keep limits anyway.',
};

/** What was admitted without a fault, beside the limit that it was to keep. */
export function controlMeasure(denying: Denying): Measure {
  const { name, unit } = CONTROL_MEASURE;
  const { allowed, limit } = denying;
  return { name, value: allowed, bound: limit, unit, ...(!denies(denying) && { atLeast: true }) };
}

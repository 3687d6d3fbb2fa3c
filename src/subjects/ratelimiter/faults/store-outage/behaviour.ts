/**
 * What callers get while Redis takes no writes, by measured rules alone: neither the
 * limiter's configuration nor what a switch of it is called has a say. Pure.
 *
 * Three kinds of callers are sent to every node. One kind stays within its limit and should
 * be let through. Another has used its limit up before the fault and should be denied. The third
 * comes to its limit in the fault, and should be let through up to it and then be denied.
 */

import type { CallerRequest, Got } from '../../interfaces/caller-request.ts';
import { type OverAdmission, overAdmission } from '../../limits/over-admission.ts';
import { admittedAtOnce, type RateLimit } from '../../limits/rate-limit.ts';
import { leakingNodes, type NodeAdmission } from './leaking-nodes.ts';
import { type OverAfter, overAfter } from './over-after.ts';
import { phasesOf } from './phases.ts';

export const BEHAVIOURS = ['Holds', 'FailsOpen', 'FailsClosed', 'Hangs', 'Mixed'] as const;

/**
 * Holds: callers within their limit are let through, and one that had used its limit up before gets no more than it.
 * FailsOpen: they are let through, and more than the limit gets through; of a node, as {@link leakingNodes} has it.
 * FailsClosed: they are denied, or get an error.
 * Hangs: they have no answer within the time that a caller waits.
 * Mixed: none of these holds for nine of ten callers, or nodes differ.
 */
export type Behaviour = (typeof BEHAVIOURS)[number];

/** The share of callers that have to get the same for it to be what callers get. */
export const SHARE = 0.9;

/** Callers within their limit that each node has to be asked by while the fault is on. */
export const LEAST_ASKED = 5;

export interface OutageSettings {
  readonly nodes: readonly string[];
  readonly limit: RateLimit;
  /** How long a caller waits; milliseconds. */
  readonly callerTimeoutMs: number;
  /** As in `KnownOfKey`, of the key of the caller beyond its limit. */
  readonly firstSentAt?: number;
  readonly clockWithinMs?: number;
  /**
   * Where all requests are of one caller: from when on they are of one limit, which was whole then. The first that it
   * admits at once are within the limit, see `asOfOneLimit`, and all of them count for what is beyond it.
   */
  readonly oneLimitFrom?: number;
}

/** When writes stood still, in milliseconds since the epoch. */
export interface OutageSpan {
  readonly startedAt: number;
  readonly endedAt: number;
}

export type Counts = Readonly<Record<Got, number>>;

export interface NodeBehaviour {
  readonly behaviour: Behaviour;
  /** Of callers within their limit, while the fault was on. */
  readonly within: Counts;
  /** Of the caller beyond its limit. */
  readonly beyond: Counts;
  /** Of the one that came to its limit meanwhile. */
  readonly reaching: Counts;
  /** How often the one beyond was let through as the fault began or ended, which is not in the counts. */
  readonly beyondAtEdges: number;
}

export interface OutageBehaviour {
  readonly behaviour: Behaviour;
  readonly byNode: ReadonlyMap<string, NodeBehaviour>;
  /**
   * Over all nodes, from its first request to the end of the fault: of the caller beyond its limit, or of the one that
   * comes to it in the fault where that shows more.
   */
  readonly over: OverAdmission;
  /** Requests beyond the bound of either: `over` has the larger. */
  readonly excess: { readonly beyond: number; readonly reaching: number };
  /** Whether every node denied that one in the fault, so that it is known what it gets there. */
  readonly reached: boolean;
  /** How much more than the limit allows it was let through by requests that it sent after the fault. */
  readonly after: OverAfter;
  /** Why this proves nothing; empty: it does. */
  readonly shortfalls: readonly string[];
}

/** Judges what callers got. `requests` in any order, from before the fault on. */
export function behaviourOf(
  settings: OutageSettings,
  requests: readonly CallerRequest[],
  { endedAt, startedAt }: OutageSpan,
): OutageBehaviour {
  const { callerTimeoutMs, clockWithinMs, limit, nodes, oneLimitFrom } = settings;
  const ofLimit = requests.filter(({ caller, sentAt }) =>
    oneLimitFrom === undefined ? caller === 'Beyond' : sentAt >= oneLimitFrom,
  );
  const firstSentAt =
    oneLimitFrom === undefined ? settings.firstSentAt : ofLimit.reduce(firstOf, Number.POSITIVE_INFINITY);
  const beyond = ofLimit
    .filter(({ got }) => got === 'Admitted')
    .map(({ node, sentAt, endedAt: answeredAt }) => ({ node, sentAt, answeredAt }));
  // What gets through after the fault is not of it.
  const admitted = beyond.filter(({ answeredAt }) => answeredAt <= endedAt);
  const known = {
    ...(firstSentAt !== undefined && { firstSentAt }),
    ...(clockWithinMs !== undefined && { clockWithinMs }),
  };
  const overOf = (some: readonly NodeAdmission[]): OverAdmission => overAdmission(limit, some, known);
  const overOfBeyond = overOf(admitted);
  const leaking = new Set<string>();
  const noteLeaking = (
    some: readonly NodeAdmission[],
    of: (some: readonly NodeAdmission[]) => OverAdmission,
  ) => {
    for (const node of leakingNodes(some, startedAt, (each) => of(each).excess > 0)) leaking.add(node);
  };
  if (overOfBeyond.excess > 0) noteLeaking(admitted, overOf);
  const reaching = requests.filter(({ caller }) => caller === 'Reaching');
  const overOfReaching = (some: readonly NodeAdmission[]): OverAdmission =>
    overAdmission(limit, some, { ...known, firstSentAt: reaching.reduce(firstOf, Number.POSITIVE_INFINITY) });
  const reachingAdmitted = reaching
    .filter(({ endedAt: at, got }) => got === 'Admitted' && at <= endedAt)
    .map(({ node, sentAt, endedAt: answeredAt }) => ({ node, sentAt, answeredAt }));
  const itsOver = overOfReaching(reachingAdmitted);
  if (itsOver.excess > 0) noteLeaking(reachingAdmitted, overOfReaching);
  const excess = { beyond: overOfBeyond.excess, reaching: itsOver.excess };
  const since = beyond.filter(({ sentAt }) => sentAt >= endedAt);
  const after = overAfter(admitted, since, (some) => overOf(some).excess);
  const { before, during } = phasesOf(requests, { startedAt, endedAt }, callerTimeoutMs);
  const ofNode = Map.groupBy(during, ({ node }) => node);
  const byNode = new Map(
    nodes.map((node) => {
      const own = ofNode.get(node) ?? [];
      const within = countsOf(own, 'Within');
      const beyondIt = countsOf(own, 'Beyond');
      const admittedIn = admitted.filter((each) => each.node === node && each.answeredAt > startedAt).length;
      const told = beyondIt.Admitted + (oneLimitFrom === undefined ? 0 : within.Admitted);
      const beyondAtEdges = Math.max(0, admittedIn - told);
      const reachingIt = countsOf(own, 'Reaching');
      const behaviour = kindOf(within, [beyondIt, reachingIt], leaking.has(node));
      return [node, { behaviour, within, beyond: beyondIt, reaching: reachingIt, beyondAtEdges }];
    }),
  );
  const kinds = new Set([...byNode.values()].map(({ behaviour }) => behaviour));
  const [only = 'Mixed'] = kinds;
  return {
    behaviour: kinds.size === 1 ? only : 'Mixed',
    byNode,
    over: excess.reaching > excess.beyond ? itsOver : overOfBeyond,
    excess,
    reached: [...byNode.values()].every(({ reaching: { Denied } }) => Denied > 0),
    after,
    shortfalls: [
      ...controlShortfalls(settings, before, overOf(admitted.filter((each) => each.answeredAt <= startedAt))),
      ...[...byNode].flatMap(([node, judged]) => askedShortfalls(settings, node, judged)),
    ],
  };
}

/** What is missing of the requests to one node while the fault was on. */
function askedShortfalls(
  { oneLimitFrom }: OutageSettings,
  node: string,
  { behaviour, beyond, within }: NodeBehaviour,
): string[] {
  const [inside, outside] = [sum(within), sum(beyond)];
  if (oneLimitFrom === undefined) {
    if (inside >= LEAST_ASKED) return [];
    return [
      `${node} was asked by ${inside} callers within their limit during the fault, ${LEAST_ASKED} are needed`,
    ];
  }
  const missing: string[] = [];
  if (inside < LEAST_ASKED) {
    missing.push(
      `${node} was asked ${inside} times within the limit during the fault, ${LEAST_ASKED} are needed`,
    );
  }
  // Nobody was there to be turned away, so it is not known whether anybody would have been.
  if (behaviour === 'Holds' && outside < LEAST_ASKED) {
    missing.push(
      `${node} was asked ${outside} times beyond the limit during the fault, ${LEAST_ASKED} are needed`,
    );
  }
  return missing;
}

function firstOf(first: number, { sentAt }: CallerRequest): number {
  return Math.min(first, sentAt);
}

function kindOf(within: Counts, others: readonly Counts[], leaks: boolean): Behaviour {
  const needed = SHARE * sum(within);
  if (within.Unanswered >= needed) return 'Hangs';
  if (within.Denied + within.Failed >= needed) return 'FailsClosed';
  if (within.Admitted < needed) return 'Mixed';
  // A node that answers some callers and leaves others waiting does not hold.
  if (others.some((counts) => counts.Unanswered > (1 - SHARE) * sum(counts))) return 'Mixed';
  return leaks ? 'FailsOpen' : 'Holds';
}

/** Without the fault the limiter has to let callers through and to deny beyond its limit: else its failure shows nothing. */
function controlShortfalls(
  { limit, nodes }: OutageSettings,
  before: readonly CallerRequest[],
  { admitted, bound, excess }: OverAdmission,
): string[] {
  const missing: string[] = [];
  const ofNode = Map.groupBy(before, ({ node }) => node);
  for (const node of nodes) {
    const counts = countsOf(ofNode.get(node) ?? [], 'Within');
    const asked = sum(counts);
    if (asked === 0) missing.push(`${node} was asked by no caller within its limit before the fault`);
    else if (counts.Admitted < asked) {
      missing.push(
        `before the fault ${node} let ${counts.Admitted} of ${asked} callers within their limit through`,
      );
    }
  }
  if (excess > 0) {
    missing.push(
      `before the fault ${admitted} requests of the caller beyond its limit were admitted, where ${bound} are the most`,
    );
  }
  const beyond = countsOf(before, 'Beyond');
  if (beyond.Denied === 0) {
    missing.push(
      `before the fault no request of a caller beyond its limit was denied, after ${beyond.Admitted} were admitted and ${admittedAtOnce(limit)} are allowed`,
    );
  }
  return missing;
}

/** What callers of one kind got. */
export function countsOf(requests: readonly CallerRequest[], of: CallerRequest['caller']): Counts {
  const counts = { Admitted: 0, Denied: 0, Failed: 0, Unanswered: 0 };
  for (const { caller, got } of requests) if (caller === of) counts[got] += 1;
  return counts;
}

function sum({ Admitted, Denied, Failed, Unanswered }: Counts): number {
  return Admitted + Denied + Failed + Unanswered;
}

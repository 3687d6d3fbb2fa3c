/**
 * What callers get while Redis takes no writes, by measured rules alone: neither the
 * limiter's configuration nor what a switch of it is called has a say. Pure.
 *
 * Several kinds of callers send requests to every pod, see `CallerKind`. Those under their limit should be admitted.
 * One had used its limit up before the fault and should be rejected. Others cross their limits in the fault, and
 * should be admitted up to them and then be rejected.
 */

import { admittedAt, type CallerKind, type CallerRequest } from '../../interfaces/caller-request.ts';
import { type OverAdmission, overAdmission } from '../../limits/over-admission.ts';
import type { RateLimit } from '../../limits/rate-limit.ts';
import { shareInterval } from '../share-interval.ts';
import { controlShortfalls } from './control-shortfalls.ts';
import { type Counts, countsOf, sizeOf, totalOf } from './counts.ts';
import { leakingNodes, type NodeAdmission } from './leaking-nodes.ts';
import { type OverAfter, overAfter } from './over-after.ts';
import { phasesOf } from './phases.ts';

export const BEHAVIOURS = ['Holds', 'FailsOpen', 'FailsClosed', 'Hangs', 'Mixed'] as const;

/**
 * Holds: callers under their limit are admitted, and none gets more than its limit.
 * FailsOpen: they are admitted, and some caller gets more than its limit; of a pod, as {@link leakingNodes} has it.
 * FailsClosed: they are rejected, or get an error.
 * Hangs: they have no answer within the time that a caller waits.
 * Mixed: none of these is what nine of ten callers get, or pods differ.
 */
export type Behaviour = (typeof BEHAVIOURS)[number];

/** The share of callers that have to get the same for it to be what callers get. */
export const SHARE = 0.9;

/** Callers under their limit that each pod has to get requests of while the fault is active. */
export const LEAST_ASKED = 5;

export interface OutageSettings {
  readonly nodes: readonly string[];
  readonly limit: RateLimit;
  /** How long a caller waits; milliseconds. */
  readonly callerTimeoutMs: number;
  /** As in `KnownOfKey`, of the key of the caller over its limit. */
  readonly firstSentAt?: number;
  readonly clockWithinMs?: number;
  /**
   * If all requests are of one caller: from when on they are of one limit, which was replenished then. The first that it
   * admits at once are within the limit, see `asOfOneLimit`, and all of them count for what is beyond it.
   */
  readonly oneLimitFrom?: number;
}

/** When writes stalled, in milliseconds since the epoch. */
export interface OutageSpan {
  readonly startedAt: number;
  readonly endedAt: number;
}

export interface NodeBehaviour {
  readonly behaviour: Behaviour;
  /** Of callers under their limit, while the fault was active. */
  readonly within: Counts;
  /** Of the caller over its limit. */
  readonly beyond: Counts;
  /** Of those that crossed their limits. */
  readonly crossing: Counts;
  /** Of requests that need no limiter. */
  readonly control: Counts;
  /** Callers under their limit that had no answer while such requests were still answered. */
  readonly hungFirst: number;
  /** How often the one over its limit was admitted as the fault began or ended, or late: not in the counts. */
  readonly beyondAtEdges: number;
  /** Requests of callers under their limit whose answers the operator read too late to time; not in the counts. */
  readonly untimed: number;
}

/** The share of callers that got the word is so near to {@link SHARE} that chance decides between two words. */
export interface NearBorder {
  readonly other: Behaviour;
  readonly count: number;
  readonly of: number;
}

export interface OutageBehaviour {
  readonly behaviour: Behaviour;
  readonly near?: NearBorder;
  readonly byNode: ReadonlyMap<string, NodeBehaviour>;
  /** Over all pods, from its first request to its last: of the caller that shows most. */
  readonly over: OverAdmission;
  /** Requests beyond the bound: of the one over its limit, and the most of any that crosses it; `over` has the larger. */
  readonly excess: { readonly beyond: number; readonly crossing: number };
  /** Requests beyond the bound while the fault was active, answered late or not. */
  readonly excessInFault: number;
  /** Requests of callers over their limit whose outcome is not known: they may have been admitted. */
  readonly unknown: number;
  /** Kinds of callers of which every pod rejected one at its limit in the fault. */
  readonly reached: ReadonlySet<CallerKind>;
  /** How much more than the limit allows the one over its limit was admitted by requests that it sent after the fault. */
  readonly after: OverAfter;
  /** Why this proves nothing; empty: it does. */
  readonly shortfalls: readonly string[];
}

/** Judges what callers got. `requests` in any order, from before the fault on. */
export function behaviourOf(
  settings: OutageSettings,
  requests: readonly CallerRequest[],
  span: OutageSpan,
): OutageBehaviour {
  const { endedAt, startedAt } = span;
  const limited = limitedCallers(settings, requests);
  const beyond = limited.find(({ kind }) => kind === 'Beyond') ?? limitedCaller(settings, 'Beyond', []);
  const inFault = ({ sentAt }: NodeAdmission): boolean => sentAt < endedAt;
  const leaking = new Set<string>();
  let excessInFault = 0;
  for (const { admitted, overOf } of limited) {
    const until = admitted.filter(inFault);
    const { excess } = overOf(until);
    excessInFault = Math.max(excessInFault, excess);
    if (excess === 0) continue;
    for (const node of leakingNodes(until, startedAt, (each) => overOf(each).excess > 0)) leaking.add(node);
  }
  const worst = limited.reduce((most, one) => (one.over.excess > most.over.excess ? one : most), beyond);
  const { before, during, untimed } = phasesOf(requests, span, settings.callerTimeoutMs);
  // There may be a hundred thousand requests, and a hundred pods.
  const ofNode = Map.groupBy(during, ({ node }) => node);
  const untimedOf = Map.groupBy(untimed, ({ node }) => node);
  const admittedOf = Map.groupBy(beyond.admitted, ({ node }) => node);
  const byNode = new Map(
    settings.nodes.map((node) => {
      const own = ofNode.get(node) ?? [];
      const counts = {
        within: countsOf(own, 'Within'),
        beyond: countsOf(own, 'Beyond'),
        crossing: countsOf(own, 'Reaching', 'Crossing'),
        control: countsOf(own, 'Control'),
      };
      const admittedIn = (admittedOf.get(node) ?? []).filter(
        (each) => inFault(each) && each.answeredAt > startedAt,
      ).length;
      const counted =
        counts.beyond.Admitted + (settings.oneLimitFrom === undefined ? 0 : counts.within.Admitted);
      return [
        node,
        {
          ...counts,
          hungFirst: hungBeforeControl(own),
          beyondAtEdges: Math.max(0, admittedIn - counted),
          untimed: (untimedOf.get(node) ?? []).filter(({ caller }) => caller === 'Within').length,
        },
      ] as const;
    }),
  );
  const { near, words } = wordsOf(byNode, leaking);
  const [only = 'Mixed', ...others] = new Set(words.values());
  const judged = new Map(
    [...byNode].map(([node, counts]) => [node, { behaviour: words.get(node) ?? 'Mixed', ...counts }]),
  );
  const overBefore = beyond.overOf(beyond.admitted.filter(({ answeredAt }) => answeredAt <= startedAt));
  const rejecting = (kind: CallerKind): boolean =>
    settings.nodes.every((node) =>
      ofNode.get(node)?.some((request) => request.caller === kind && request.got === 'Denied'),
    );
  const crossing = limited.filter(({ kind }) => kind !== 'Beyond');
  return {
    behaviour: others.length === 0 ? only : 'Mixed',
    ...(near && { near }),
    byNode: judged,
    over: worst.over,
    excess: {
      beyond: beyond.over.excess,
      crossing: Math.max(0, ...crossing.map(({ over }) => over.excess)),
    },
    excessInFault,
    unknown: limited.reduce((sum, one) => sum + one.unknown, 0),
    reached: new Set((['Reaching', 'Crossing'] as const).filter(rejecting)),
    after: overAfter(
      beyond.admitted.filter(inFault),
      beyond.admitted.filter((each) => !inFault(each)),
      (some) => beyond.overOf(some).excess,
    ),
    shortfalls: [
      ...controlShortfalls(settings, before, overBefore),
      ...[...judged].flatMap(([node, one]) => [
        ...askedShortfalls(settings, node, one),
        ...untimedShortfalls(node, one),
      ]),
    ],
  };
}

/** Callers under their limit that had no answer, and sent before the first request without a limiter that had none. */
function hungBeforeControl(requests: readonly CallerRequest[]): number {
  const hung = requests.filter(({ got }) => got === 'Unanswered');
  const slowFrom = firstOf(hung.filter(({ caller }) => caller === 'Control'));
  return hung.filter(({ caller, sentAt }) => caller === 'Within' && sentAt < slowFrom).length;
}

/** One caller that has a limit to exceed. */
interface LimitedCaller {
  readonly kind: CallerKind;
  readonly admitted: readonly NodeAdmission[];
  readonly unknown: number;
  readonly overOf: (some: readonly NodeAdmission[]) => OverAdmission;
  readonly over: OverAdmission;
}

function limitedCallers(settings: OutageSettings, requests: readonly CallerRequest[]): LimitedCaller[] {
  const { oneLimitFrom } = settings;
  if (oneLimitFrom !== undefined) {
    const own = requests.filter(({ caller, sentAt }) => caller !== 'Control' && sentAt >= oneLimitFrom);
    return [limitedCaller({ ...settings, firstSentAt: firstOf(own) }, 'Beyond', own)];
  }
  const kinds: readonly CallerKind[] = ['Beyond', 'Reaching', 'Crossing'];
  return kinds.flatMap((kind) => {
    const own = requests.filter(({ caller }) => caller === kind);
    return [...Map.groupBy(own, ({ key }) => (kind === 'Crossing' ? key : undefined)).values()].map((of) =>
      limitedCaller(kind === 'Beyond' ? settings : { ...settings, firstSentAt: firstOf(of) }, kind, of),
    );
  });
}

function limitedCaller(
  { clockWithinMs, firstSentAt, limit }: OutageSettings,
  kind: CallerKind,
  requests: readonly CallerRequest[],
): LimitedCaller {
  const known = {
    ...(firstSentAt !== undefined && { firstSentAt }),
    ...(clockWithinMs !== undefined && { clockWithinMs }),
  };
  const overOf = (some: readonly NodeAdmission[]): OverAdmission => overAdmission(limit, some, known);
  const admitted = requests.flatMap((request) => {
    const answeredAt = admittedAt(request);
    return answeredAt === undefined ? [] : [{ node: request.node, sentAt: request.sentAt, answeredAt }];
  });
  const unknown = requests.filter(({ got, late }) => got === 'Unanswered' && !late).length;
  return { kind, admitted, unknown, overOf, over: overOf(admitted) };
}

function firstOf(requests: readonly CallerRequest[]): number {
  return requests.reduce((first, { sentAt }) => Math.min(first, sentAt), Number.POSITIVE_INFINITY);
}

/** What nine of ten callers may get, and how many of these did. */
const OUTCOMES = {
  Hangs: (counts: Counts) => counts.Unanswered,
  FailsClosed: (counts: Counts) => counts.Denied + counts.Failed,
  Holds: (counts: Counts) => counts.Admitted,
} as const satisfies Partial<Record<Behaviour, (counts: Counts) => number>>;

type NodeCounts = Pick<NodeBehaviour, 'beyond' | 'crossing' | 'within'>;

/**
 * The word for each pod. All pods together decide, since a few requests more or fewer of one pod are chance: a pod has
 * a word of its own only if the 95 % confidence interval of its share excludes {@link SHARE}.
 */
function wordsOf(
  byNode: ReadonlyMap<string, NodeCounts>,
  leaking: ReadonlySet<string>,
): { readonly words: ReadonlyMap<string, Behaviour>; readonly near?: NearBorder } {
  const all = totalOf([...byNode.values()].map(({ within }) => within));
  const kinds = Object.keys(OUTCOMES) as (keyof typeof OUTCOMES)[];
  const most = kinds.reduce((a, b) => (OUTCOMES[b](all) > OUTCOMES[a](all) ? b : a));
  const countOf = OUTCOMES[most];
  const [count, of] = [countOf(all), sizeOf(all)];
  const fits = ({ within }: NodeCounts): boolean =>
    shareInterval(countOf(within), sizeOf(within)).to >= SHARE;
  const oneForAll = [...byNode.values()].every(fits);
  const isMost = of > 0 && count >= SHARE * of;
  const wordOf = (node: string, counts: NodeCounts): Behaviour => {
    const kind = oneForAll && isMost ? most : kindOf(counts.within);
    return kind === 'Holds' ? admittingWord(counts, leaking.has(node)) : kind;
  };
  const words = new Map([...byNode].map(([node, counts]) => [node, wordOf(node, counts)]));
  const { from, to } = shareInterval(count, of);
  if (!oneForAll || count === of || from >= SHARE || to < SHARE) return { words };
  if (isMost) return { words, near: { other: 'Mixed', count, of } };
  // Whatever single pods would be called, all of them together are Mixed.
  for (const node of words.keys()) words.set(node, 'Mixed');
  return { words, near: { other: most === 'Holds' && leaking.size > 0 ? 'FailsOpen' : most, count, of } };
}

function kindOf(within: Counts): keyof typeof OUTCOMES | 'Mixed' {
  const kinds = Object.keys(OUTCOMES) as (keyof typeof OUTCOMES)[];
  return kinds.find((kind) => OUTCOMES[kind](within) >= SHARE * sizeOf(within)) ?? 'Mixed';
}

/** The word for a pod that admits callers under their limit. */
function admittingWord({ beyond, crossing }: NodeCounts, leaks: boolean): Behaviour {
  // One that answers some callers and leaves others waiting does not hold.
  const waits = (counts: Counts): boolean =>
    shareInterval(counts.Unanswered, sizeOf(counts)).from > 1 - SHARE;
  if (waits(beyond) || waits(crossing)) return 'Mixed';
  return leaks ? 'FailsOpen' : 'Holds';
}

/** What is missing of the requests to one pod while the fault was active. */
function askedShortfalls(
  { oneLimitFrom }: OutageSettings,
  node: string,
  { behaviour, beyond, within }: NodeBehaviour,
): string[] {
  const [inside, outside] = [sizeOf(within), sizeOf(beyond)];
  if (oneLimitFrom === undefined) {
    if (inside >= LEAST_ASKED) return [];
    return [
      `${node} got requests of ${inside} callers under their limit during the fault, ${LEAST_ASKED} are needed`,
    ];
  }
  const missing: string[] = [];
  if (inside < LEAST_ASKED) {
    missing.push(
      `${node} got ${inside} requests within the limit during the fault, ${LEAST_ASKED} are needed`,
    );
  }
  // No caller was over the limit, so it is not known whether one would have been rejected.
  if (behaviour === 'Holds' && outside < LEAST_ASKED) {
    missing.push(
      `${node} got ${outside} requests beyond the limit during the fault, ${LEAST_ASKED} are needed`,
    );
  }
  return missing;
}

/** What the operator's own standstill has spoiled. */
function untimedShortfalls(node: string, { untimed, within }: NodeBehaviour): string[] {
  const of = untimed + sizeOf(within);
  if (untimed <= (1 - SHARE) * of) return [];
  return [
    `the operator stood still, so ${untimed} of ${of} answers of ${node} could not be timed: give the operator more CPU`,
  ];
}

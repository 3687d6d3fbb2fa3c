/**
 * What callers get while Redis accepts no writes, by measured rules only; the limiter's configuration and the names of
 * its modes have no influence. Pure. Several kinds of callers send requests to every pod, see `CallerKind`. Callers
 * under their limit should be admitted. One exhausted its limit before the fault and should be rejected. Others cross
 * their limits in the fault, and should be admitted up to them and then be rejected.
 */

import { listed } from '../../targets/refusal.ts';
import type { CallerKind, CallerRequest } from '../history/events.ts';
import { admittedAtOnce } from '../limits/rate-limit.ts';
import type { Finding } from './finding.ts';
import { latencyOf } from './latency.ts';
import type { Over } from './over-admission.ts';
import {
  type CallerSettings,
  type Counts,
  countsOf,
  countsText,
  firstOf,
  type Phases,
  phasesOf,
  type Span,
  sizeOf,
  totalOf,
} from './requests.ts';
import { shareInterval } from './share-interval.ts';

export const BEHAVIOURS = ['Enforces', 'FailsOpen', 'FailsClosed', 'Hangs', 'Mixed', 'Forgets'] as const;

/**
 * Enforces: callers under their limit are admitted, and none gets more than its limit.
 * FailsOpen: they are admitted, and some caller gets more than its limit; of a pod, as defined by `leakingPods`.
 * Forgets: likewise, but no caller gets more than its limit once more after Redis has lost its count.
 * FailsClosed: they are rejected, or get an error.
 * Hangs: they have no answer within the time that a caller waits.
 * Mixed: none of these is what nine of ten callers get, or pods differ.
 */
export type Behaviour = (typeof BEHAVIOURS)[number];

/** The share of callers that must have the same outcome for it to be the result. */
export const SHARE = 0.9;

/** Callers under their limit that have to send requests to each pod while the fault is active. */
export const LEAST_REQUESTS = 5;

export interface PodBehaviour {
  readonly behaviour: Behaviour;
  /** Of callers under their limit, while the fault was active. */
  readonly within: Counts;
  /** Of the caller over its limit. */
  readonly beyond: Counts;
  /** Of callers that crossed their limits. */
  readonly crossing: Counts;
  /** Of requests that need no limiter. */
  readonly control: Counts;
  /** Callers under their limit that had no answer while control requests were still answered. */
  readonly hungFirst: number;
  /** How often the caller over its limit was admitted late, or at the start or end of the fault: not in the counts. */
  readonly overAtEdges: number;
  /** Requests of callers under their limit whose answers the operator read too late to time; not in the counts. */
  readonly untimed: number;
}

/** The measured share is so close to {@link SHARE} that chance decides between two results. */
export interface NearBorder {
  readonly other: Behaviour;
  readonly count: number;
  readonly of: number;
}

export interface Behaved {
  readonly behaviour: Behaviour;
  readonly near?: NearBorder;
  readonly byPod: ReadonlyMap<string, PodBehaviour>;
  /** Kinds of callers for which every pod rejected a request over the limit in the fault. */
  readonly reached: ReadonlySet<CallerKind>;
  /** Why this proves nothing; empty: it does. */
  readonly shortfalls: readonly string[];
}

/** What callers got in the fault. `requests` in any order, from before the fault on; `over` as from `overOf`. */
export function behaviourOf(
  settings: CallerSettings,
  requests: readonly CallerRequest[],
  span: Span,
  over: Over,
): Behaved {
  const { before, during, untimed } = phasesOf(requests, span, settings.callerTimeoutMs);
  // There may be a hundred thousand requests, and a hundred pods.
  const ofPod = Map.groupBy(during, ({ pod }) => pod);
  const untimedOf = Map.groupBy(untimed, ({ pod }) => pod);
  const admittedOf = Map.groupBy(over.beyond, ({ pod }) => pod);
  const byPod = new Map(
    settings.pods.map((pod) => {
      const own = ofPod.get(pod) ?? [];
      const counts = {
        within: countsOf(own, 'Under'),
        beyond: countsOf(own, 'Over'),
        crossing: countsOf(own, 'New', 'Crossing'),
        control: countsOf(own, 'Control'),
      };
      const admittedIn = (admittedOf.get(pod) ?? []).filter(
        ({ answeredAt, sentAt }) => sentAt < span.endedAt && answeredAt > span.startedAt,
      ).length;
      const inPhase =
        counts.beyond.Admitted + (settings.oneLimitFrom === undefined ? 0 : counts.within.Admitted);
      return [
        pod,
        {
          ...counts,
          hungFirst: hungBeforeControl(own),
          overAtEdges: Math.max(0, admittedIn - inPhase),
          untimed: (untimedOf.get(pod) ?? []).filter(({ caller }) => caller === 'Under').length,
        },
      ] as const;
    }),
  );
  const { near, words } = wordsOf(byPod, over);
  const [only = 'Mixed', ...others] = new Set(words.values());
  const judged = new Map(
    [...byPod].map(([pod, counts]) => [pod, { behaviour: words.get(pod) ?? 'Mixed', ...counts }]),
  );
  const rejecting = (kind: CallerKind): boolean =>
    settings.pods.every((pod) =>
      ofPod.get(pod)?.some((request) => request.caller === kind && request.outcome === 'Rejected'),
    );
  return {
    behaviour: others.length === 0 ? only : 'Mixed',
    ...(near && { near }),
    byPod: judged,
    reached: new Set((['New', 'Crossing'] as const).filter(rejecting)),
    shortfalls: [
      ...onceMoreShortfalls(words, over),
      ...controlShortfalls(settings, before),
      ...[...judged].flatMap(([pod, one]) => [
        ...requestShortfalls(settings, pod, one),
        ...untimedShortfalls(pod, one),
      ]),
    ],
  };
}

/** Callers under their limit that had no answer, and sent before the first control request that had none. */
function hungBeforeControl(requests: readonly CallerRequest[]): number {
  const hung = requests.filter(({ outcome }) => outcome === 'Timeout');
  const slowFrom = firstOf(hung.filter(({ caller }) => caller === 'Control'));
  return hung.filter(({ caller, sentAt }) => caller === 'Under' && sentAt < slowFrom).length;
}

/** The outcomes that nine of ten callers may get, with the number that did. */
const OUTCOMES = {
  Hangs: (counts: Counts) => counts.Timeout,
  FailsClosed: (counts: Counts) => counts.Rejected + counts.Error,
  Enforces: (counts: Counts) => counts.Admitted,
} as const satisfies Partial<Record<Behaviour, (counts: Counts) => number>>;

type PodCounts = Pick<PodBehaviour, 'beyond' | 'crossing' | 'within'>;

/**
 * The result for each pod. All pods together decide, because a few requests more or fewer of one pod are chance: a pod
 * has a result of its own only if the 95 % confidence interval of its share excludes {@link SHARE}.
 */
function wordsOf(
  byPod: ReadonlyMap<string, PodCounts>,
  { leaking, onceMore }: Pick<Over, 'leaking' | 'onceMore'>,
): { readonly words: ReadonlyMap<string, Behaviour>; readonly near?: NearBorder } {
  const open = onceMore?.isMost ? 'Forgets' : 'FailsOpen';
  // The count that was lost is the same for all pods, whichever admitted the caller again.
  const leaks = (pod: string): boolean => (open === 'Forgets' ? leaking.size > 0 : leaking.has(pod));
  const all = totalOf([...byPod.values()].map(({ within }) => within));
  const kinds = Object.keys(OUTCOMES) as (keyof typeof OUTCOMES)[];
  const most = kinds.reduce((a, b) => (OUTCOMES[b](all) > OUTCOMES[a](all) ? b : a));
  const countOf = OUTCOMES[most];
  const [count, of] = [countOf(all), sizeOf(all)];
  const fits = ({ within }: PodCounts): boolean => shareInterval(countOf(within), sizeOf(within)).to >= SHARE;
  const oneForAll = [...byPod.values()].every(fits);
  const isMost = count >= SHARE * of;
  const wordOf = (pod: string, counts: PodCounts): Behaviour => {
    const kind = oneForAll && isMost ? most : kindOf(counts.within);
    return kind === 'Enforces' ? admittingWord(counts, leaks(pod) ? open : undefined) : kind;
  };
  const words = new Map([...byPod].map(([pod, counts]) => [pod, wordOf(pod, counts)]));
  const { from, to } = shareInterval(count, of);
  if (!oneForAll || count === of || from >= SHARE || to < SHARE) return { words };
  if (isMost) return { words, near: { other: 'Mixed', count, of } };
  // Whatever the results of single pods would be, all of them together are Mixed.
  for (const pod of words.keys()) words.set(pod, 'Mixed');
  return { words, near: { other: most === 'Enforces' && leaking.size > 0 ? open : most, count, of } };
}

function kindOf(within: Counts): keyof typeof OUTCOMES | 'Mixed' {
  const kinds = Object.keys(OUTCOMES) as (keyof typeof OUTCOMES)[];
  return kinds.find((kind) => OUTCOMES[kind](within) >= SHARE * sizeOf(within)) ?? 'Mixed';
}

/** The result for a pod that admits callers under their limit. */
function admittingWord({ beyond, crossing }: PodCounts, open: Behaviour | undefined): Behaviour {
  // A pod that answers some callers and lets others time out neither enforces the limit nor fails open.
  const waits = (counts: Counts): boolean => shareInterval(counts.Timeout, sizeOf(counts)).from > 1 - SHARE;
  if (waits(beyond) || waits(crossing)) return 'Mixed';
  return open ?? 'Enforces';
}

/** What is missing of the requests to one pod while the fault was active. */
function requestShortfalls(
  { oneLimitFrom }: CallerSettings,
  pod: string,
  { behaviour, beyond, within }: PodBehaviour,
): string[] {
  // If one caller was never over its limit, it is unknown whether it would have been rejected.
  const needsBeyond = oneLimitFrom !== undefined && behaviour === 'Enforces';
  return [
    { sent: sizeOf(within), where: 'under' },
    ...(needsBeyond ? [{ sent: sizeOf(beyond), where: 'over' }] : []),
  ].flatMap(({ sent, where }) =>
    sent < LEAST_REQUESTS
      ? [`${pod} got ${sent} requests ${where} the limit during the fault, ${LEAST_REQUESTS} are needed`]
      : [],
  );
}

/** What is missing to distinguish a limiter that forgets from one that fails open. */
function onceMoreShortfalls(words: ReadonlyMap<string, Behaviour>, { onceMore }: Over): string[] {
  if (onceMore === undefined || onceMore.isRejected || ![...words.values()].includes('Forgets')) return [];
  return [
    'no caller was rejected again after it had been admitted over its limit, so it is not shown that it gets its limit once more and no more: lengthen storeOutage.fault.duration or raise storeOutage.requestsPerSecond',
  ];
}

/** What is unusable because the operator process was stalled. */
function untimedShortfalls(pod: string, { untimed, within }: PodBehaviour): string[] {
  const of = untimed + sizeOf(within);
  if (untimed <= (1 - SHARE) * of) return [];
  return [
    `the operator stood still, so ${untimed} of ${of} answers of ${pod} could not be timed: give the operator more CPU`,
  ];
}

/**
 * Why the limiter was not seen to keep its limit before the fault, so that its failure in the fault shows nothing;
 * empty: it was.
 * @param before requests that were answered when the fault began
 */
function controlShortfalls(
  { limit, pods }: Pick<CallerSettings, 'limit' | 'pods'>,
  before: readonly CallerRequest[],
): string[] {
  const missing: string[] = [];
  for (const pod of pods) {
    const within = before.filter((request) => request.pod === pod && request.caller === 'Under');
    const { Admitted } = countsOf(within, 'Under');
    if (within.length === 0)
      missing.push(`${pod} got no request of a caller under its limit before the fault`);
    else if (Admitted < within.length) {
      missing.push(
        `before the fault ${pod} admitted ${Admitted} of ${within.length} requests of callers under their limit`,
      );
    }
  }
  const beyond = before.filter(({ caller }) => caller === 'Over');
  const rejecting = new Set(beyond.flatMap(({ outcome, pod }) => (outcome === 'Rejected' ? [pod] : [])));
  const lenient = pods.filter((pod) => !rejecting.has(pod));
  if (lenient.length > 0) {
    missing.push(
      `before the fault ${listed(lenient)} rejected no request of a caller over its limit, after ${countsOf(beyond, 'Over').Admitted} were admitted; the limit admits ${admittedAtOnce(limit)}`,
    );
  }
  return missing;
}

/** The finding: callers get only accepted outcomes, after allowing for chance and slow pods. */
export function checkBehaviour(
  { oneLimitFrom }: Pick<CallerSettings, 'oneLimitFrom'>,
  judged: Behaved,
  { during }: Phases,
  { startedAt }: Span,
  accept: readonly Behaviour[],
): Finding {
  const { behaviour, byPod, near, reached } = judged;
  const isOneLimit = oneLimitFrom !== undefined;
  const accepts = (word: Behaviour): boolean => accept.includes(word);
  const slow = slowPods(byPod);
  const isBroken =
    !accepts(behaviour) &&
    !(near && accepts(near.other)) &&
    (slow.length === 0 || [...byPod].some(([name, pod]) => !slow.includes(name) && !accepts(pod.behaviour)));
  const missing: string[] = [];
  if (near && accepts(behaviour) !== accepts(near.other)) {
    missing.push(
      `${nearText(behaviour, near)}: lengthen storeOutage.fault.duration or raise storeOutage.requestsPerSecond`,
    );
  }
  if (slow.length > 0 && !accepts(behaviour)) missing.push(slowText(byPod));
  if (behaviour === 'Enforces' && !isOneLimit && reached.size === 0 && !accepts('FailsOpen')) {
    missing.push(
      'no caller that crossed its limit in the fault was rejected by every pod, so it is not shown that the limit holds: lengthen storeOutage.fault.duration or raise storeOutage.requestsPerSecond',
    );
  }
  const isOpen = behaviour === 'FailsOpen' || behaviour === 'Forgets';
  const within = totalOf([...byPod.values()].map((pod) => pod.within));
  const failed = failedOf(during);
  const sent = sizeOf(within);
  // A limiter that fails open or forgets is violated at the first admission over the limit.
  const first = isOpen
    ? undefined
    : during.find(
        ({ caller, outcome }) =>
          caller === 'Under' && (outcome === 'Admitted') === (behaviour === 'Enforces'),
      );
  return {
    valid: isBroken ? false : missing.length > 0 ? 'unknown' : true,
    ...(isBroken && !isOpen && { brokenAt: first?.endedAt ?? startedAt }),
    summary: behaviour,
    measures: [
      { name: 'notAdmitted', value: sent - within.Admitted, unit: 'requests' },
      { name: 'underLimit', value: sent, unit: 'requests' },
      ...(failed.serverErrors > 0
        ? [{ name: 'serverErrors', value: failed.serverErrors, unit: 'requests' }]
        : []),
    ],
    missing: isBroken ? [] : missing,
    evidence: [
      ...failed.evidence,
      ...(near ? [nearText(behaviour, near)] : []),
      ...(behaviour === 'Enforces' && !isOneLimit ? [reachedText(reached)] : []),
      ...([...byPod.values()].some(({ control }) => control.Timeout > 0) ? [slowText(byPod)] : []),
    ],
    byPod: [...byPod].map(
      ([pod, { behaviour: word, beyond, overAtEdges, crossing, within: under }]) =>
        `${pod} ${word}, in time during the fault: under the limit ${countsText(under)}; over it ${countsText(beyond)}${isOneLimit ? '' : `; crossing it ${countsText(crossing)}`}${overAtEdges > 0 ? `; ${overAtEdges} more admitted late, or as the fault began or ended` : ''}`,
    ),
  };
}

/** A status with which a server refuses on purpose. */
const UNAVAILABLE = 503;

/** The statuses of requests of callers under their limit that were not admitted, as far as they are recorded. */
function failedOf(during: readonly CallerRequest[]): {
  readonly serverErrors: number;
  readonly evidence: readonly string[];
} {
  const byStatus = [
    ...Map.groupBy(
      during.filter(({ caller, outcome }) => caller === 'Under' && outcome !== 'Admitted'),
      ({ status }) => status,
    ),
  ].filter(([status]) => status !== undefined);
  const isServerError = ([status = 0]: (typeof byStatus)[number]): boolean =>
    status >= 500 && status !== UNAVAILABLE;
  const texts = byStatus
    .toSorted(([, a], [, b]) => b.length - a.length)
    .map(
      ([status, some]) =>
        `HTTP ${status} x ${some.length} (median after ${((latencyOf(some)?.p50Ms ?? 0) / 1000).toFixed(2)} s)`,
    );
  return {
    serverErrors: byStatus.filter(isServerError).reduce((sum, [, some]) => sum + some.length, 0),
    evidence:
      texts.length > 0 ? [`Callers under their limit that were not admitted got ${texts.join(', ')}`] : [],
  };
}

function nearText(behaviour: Behaviour, { count, of, other }: NearBorder): string {
  const { from, to } = shareInterval(count, of);
  const percent = (share: number): string => (100 * share).toFixed(0);
  return `${behaviour} or ${other} is near the border of ${percent(SHARE)} %: ${count} of ${of} requests had the same outcome (${percent(from)} to ${percent(to)} % at 95 % confidence)`;
}

/**
 * Pods that may be slow, which may be why callers under their limit had no answer: some control requests had no answer
 * either. If none of them had, the path needs Redis like the limiter, and shows nothing. If callers had none first, the
 * limiter may have used up a resource that control requests need, such as a thread pool.
 */
function slowPods(byPod: Behaved['byPod']): string[] {
  return [...byPod].flatMap(([pod, { control, hungFirst, within }]) => {
    const { from, to } = shareInterval(control.Timeout, sizeOf(control));
    const isSlow = within.Timeout > 0 && hungFirst < LEAST_REQUESTS && from > 1 - SHARE && to < SHARE;
    return isSlow ? [pod] : [];
  });
}

function slowText(byPod: Behaved['byPod']): string {
  const slow = [...byPod].flatMap(([pod, { control }]) =>
    control.Timeout > 0 ? [`${pod} (${control.Timeout} of ${sizeOf(control)})`] : [],
  );
  return `Requests that need no limiter had no answer in time either at ${listed(slow)}: the pods may be slow, or the path needs Redis. Give the pods more CPU, or set health.path to one that needs no limiter`;
}

function reachedText(reached: ReadonlySet<string>): string {
  const names = [
    ...(reached.has('New') ? ['a new caller'] : []),
    ...(reached.has('Crossing') ? ['callers that had one request left'] : []),
  ];
  return names.length > 0
    ? `Rejected by every pod in the fault: ${listed(names)}`
    : 'No caller that crossed its limit in the fault was rejected by every pod: what such a caller gets is not shown';
}

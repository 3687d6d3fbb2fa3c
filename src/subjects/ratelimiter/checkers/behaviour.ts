/**
 * What callers get while Redis accepts no writes, by measured rules only; the limiter's configuration and the names of
 * its modes have no influence. Pure. A request that the limiter certainly still owed its caller should be admitted, see
 * `owedOf`; one over the bound of its caller should not.
 */

import { code } from '../../checkers/checker.ts';
import { type Counts, countByPod, countsOf, firstOf, sizeOf, totalOf } from '../../checkers/requests.ts';
import { finishedAt } from '../../checkers/seen.ts';
import { LEAST_REQUESTS, SHARE, shareInterval } from '../../checkers/share-interval.ts';
import type { CallerRequest } from '../../history/events.ts';
import { latencyOf } from './figures.ts';
import { inFault, type OutageSeen, type OutageView, type Over, sidesOf, viewOf } from './outage-seen.ts';

export const BEHAVIOURS = ['Enforces', 'FailsOpen', 'FailsClosed', 'Hangs', 'Mixed', 'Forgets'] as const;

/**
 * Enforces: callers under their limit are admitted, and none gets more than its limit.
 * FailsOpen: they are admitted, and some caller gets more than its limit; of a pod, as defined by `leakingPods`.
 * Forgets: likewise, but no caller gets more than its limit once more after Redis has lost its count.
 * FailsClosed: they are rejected, or get an error.
 * Hangs: they have no answer within the time that a caller waits.
 * Mixed: none of these is what nine of ten callers get, or pods differ otherwise than in who admitted too much.
 */
export type Behaviour = (typeof BEHAVIOURS)[number];

/** What callers got in the fault. */
function behaviourOf(view: OutageView) {
  const { over, owed, phases, settings, span } = view;
  const { during, untimed } = phases;
  // There may be a hundred thousand requests, and a hundred pods.
  const ofPod = Map.groupBy(during, ({ pod }) => pod);
  const untimedOf = countByPod(untimed.filter((request) => owed.has(request)));
  const counts = settings.pods.map((pod) => {
    const own = ofPod.get(pod) ?? [];
    const control = own.filter(({ caller }) => caller === 'Control');
    const { beyond, within } = sidesOf(view, own);
    return {
      pod,
      /** Of requests that were owed, while the fault was active. */
      within: countsOf(within),
      /** Of those that were not, for certain. */
      beyond: countsOf(beyond),
      /** Of requests that need no limiter. */
      control: countsOf(control),
      /** Owed requests that had no answer while control requests were still answered. */
      hungFirst: hungBeforeControl(within, control),
      /** Owed requests whose answers the operator read too late to time; not in the counts. */
      untimed: untimedOf.get(pod) ?? 0,
    };
  });
  const { near, wordOf } = wordsOf(counts, over);
  const pods = counts.map((one) => ({ behaviour: wordOf(one), ...one }));
  const kinds = new Set(pods.map((one) => one.behaviour));
  // Which pods admitted the excess is chance: a caller that sends to all of them gets more than its limit.
  if (kinds.has('FailsOpen')) kinds.delete('Enforces');
  const [only = 'Mixed', ...others] = kinds;
  // One that was rejected before may be remembered.
  const known = new Set(phases.before.flatMap(({ key, outcome }) => (outcome === 'Rejected' ? [key] : [])));
  const crossed = sidesOf(view, during).beyond.filter(
    ({ key, outcome, sentAt }) => outcome === 'Rejected' && sentAt >= span.startedAt && !known.has(key),
  );
  const rejecting = new Set(crossed.map(({ pod }) => pod));
  return {
    behaviour: others.length === 0 ? only : 'Mixed',
    near,
    pods,
    /** Whether every pod rejected a caller in the fault that had reached its limit only there. */
    isReached: settings.pods.every((pod) => rejecting.has(pod)),
  };
}

/** Owed requests that had no answer, and were sent before the first control request that had none. */
function hungBeforeControl(within: readonly CallerRequest[], control: readonly CallerRequest[]): number {
  const hung = (some: readonly CallerRequest[]): readonly CallerRequest[] =>
    some.filter(({ outcome }) => outcome === 'Timeout');
  const slowFrom = firstOf(hung(control));
  return hung(within).filter(({ sentAt }) => sentAt < slowFrom).length;
}

/** The outcomes that nine of ten callers may get, with the number that did. */
const OUTCOMES = {
  Hangs: (counts: Counts) => counts.Timeout,
  FailsClosed: (counts: Counts) => counts.Rejected + counts.Error,
  Enforces: (counts: Counts) => counts.Admitted,
} as const satisfies Partial<Record<Behaviour, (counts: Counts) => number>>;

type PodCounts = Readonly<Record<'beyond' | 'within', Counts>> & { readonly pod: string };
type PodBehaviour = ReturnType<typeof behaviourOf>['pods'][number];

const KINDS = Object.keys(OUTCOMES) as (keyof typeof OUTCOMES)[];

/**
 * The result for each pod. All pods together decide, because a few requests more or fewer of one pod are chance: a pod
 * has a result of its own only if the 95 % confidence interval of its share excludes {@link SHARE}.
 */
function wordsOf(pods: readonly PodCounts[], { leaking, onceMore }: Pick<Over, 'leaking' | 'onceMore'>) {
  const open = onceMore?.isMost ? 'Forgets' : 'FailsOpen';
  // The count that was lost is the same for all pods, whichever admitted the caller again.
  const leaks = (pod: string): boolean => (open === 'Forgets' ? leaking.size > 0 : leaking.has(pod));
  const all = totalOf(pods.map(({ within }) => within));
  const most = KINDS.reduce((a, b) => (OUTCOMES[b](all) > OUTCOMES[a](all) ? b : a));
  const countOf = OUTCOMES[most];
  const [count, of] = [countOf(all), sizeOf(all)];
  const oneForAll = pods.every(({ within }) => shareInterval(countOf(within), sizeOf(within)).to >= SHARE);
  const isMost = count >= SHARE * of;
  const wordOf = (one: PodCounts): Behaviour => {
    const kind = oneForAll && isMost ? most : kindOf(one.within);
    return kind === 'Enforces' ? admittingWord(one, leaks(one.pod) ? open : undefined) : kind;
  };
  const { from, to } = shareInterval(count, of);
  if (!oneForAll || count === of || from >= SHARE || to < SHARE) return { wordOf };
  const word = most === 'Enforces' && leaking.size > 0 ? open : most;
  // The measured share is so close to the border that chance decides between two results.
  const near = { other: isMost ? 'Mixed' : word, count, of } as const;
  // Whatever the results of single pods would be, all of them together are Mixed.
  return { wordOf: isMost ? wordOf : (): Behaviour => 'Mixed', near };
}

function kindOf(within: Counts): keyof typeof OUTCOMES | 'Mixed' {
  return KINDS.find((kind) => OUTCOMES[kind](within) >= SHARE * sizeOf(within)) ?? 'Mixed';
}

/** The result for a pod that admits callers under their limit. */
function admittingWord({ beyond }: PodCounts, open: Behaviour | undefined): Behaviour {
  // A pod that answers some callers and lets others time out neither enforces the limit nor fails open.
  if (shareInterval(beyond.Timeout, sizeOf(beyond)).from > 1 - SHARE) return 'Mixed';
  return open ?? 'Enforces';
}

/** What is missing of the requests to one pod while the fault was active. */
function requestShortfalls({ behaviour, beyond, pod, untimed, within }: PodBehaviour, oneLimit: boolean) {
  // If one caller was never over its limit, it is unknown whether it would have been rejected.
  const needsBeyond = oneLimit && behaviour === 'Enforces';
  const sent = [
    { have: sizeOf(within), side: 'under' as const },
    ...(needsBeyond ? [{ have: sizeOf(beyond), side: 'over' as const }] : []),
  ];
  const of = untimed + sizeOf(within);
  return [
    ...sent.map(
      ({ have, side }) =>
        have < LEAST_REQUESTS && code('TooFewRequests', { pod, have, need: LEAST_REQUESTS, side }),
    ),
    // The operator process was stalled.
    untimed > (1 - SHARE) * of && code('Untimed', { pod, untimed, of }),
  ];
}

/**
 * Why the limiter was not seen to keep its limit before the fault, so that its failure in the fault shows nothing;
 * empty: it was.
 */
function controlShortfalls(view: OutageView) {
  const { plan, pods } = view.settings;
  const { beyond, within } = sidesOf(view, view.phases.before);
  const owed = Map.groupBy(within, ({ pod }) => pod);
  const rejecting = new Set(beyond.flatMap(({ outcome, pod }) => (outcome === 'Rejected' ? [pod] : [])));
  const lenient = pods.filter((pod) => !rejecting.has(pod));
  return [
    ...pods.flatMap((pod) => {
      const own = owed.get(pod) ?? [];
      const { Admitted } = countsOf(own);
      return [
        own.length === 0 && code('NotSentBefore', { pod }),
        Admitted < own.length && code('FailedBefore', { pod, admitted: Admitted, of: own.length }),
      ];
    }),
    lenient.length > 0 && code('NotRejectedBefore', { pods: lenient, sent: beyond.length, most: plan.full }),
  ];
}

/** The finding: callers get only accepted outcomes, after allowing for chance and slow pods. */
export const service = {
  name: 'service',
  finding: inFault((view) => {
    const { over, settings, span } = view;
    const { behaviour, isReached, near, pods } = behaviourOf(view);
    const { isOneCaller: oneLimit, parameters } = settings.plan;
    const owed = sidesOf(view, view.phases.during).within;
    const accepts = (word: Behaviour): boolean => parameters.accept.includes(word);
    const slow = slowPods(pods);
    const isBroken =
      !accepts(behaviour) &&
      !(near && accepts(near.other)) &&
      (slow.length === 0 || pods.some((one) => !slow.includes(one) && !accepts(one.behaviour)));
    const isNear = near && accepts(behaviour) !== accepts(near.other);
    const controls = code('ControlsUnanswered', {
      pods: pods.flatMap(({ control, pod }) =>
        control.Timeout > 0 ? [{ pod, unanswered: control.Timeout, of: sizeOf(control) }] : [],
      ),
    });
    const isUnreached = behaviour === 'Enforces' && !oneLimit && !isReached && !accepts('FailsOpen');
    const isOpen = behaviour === 'FailsOpen' || behaviour === 'Forgets';
    const within = totalOf(pods.map((one) => one.within));
    const failed = failedOf(owed);
    const sent = sizeOf(within);
    const { callerTimeoutMs: withinMs } = settings.plan;
    const notAdmitted = code('NotAdmitted', { serverErrors: failed.serverErrors, within, withinMs });
    // A limiter that fails open or forgets is violated at the first admission over the limit.
    const first = isOpen
      ? undefined
      : owed.find(({ outcome }) => (outcome === 'Admitted') === (behaviour === 'Enforces'));
    const border = near && { behaviour, ...shareInterval(near.count, near.of), ...near };
    return {
      isBroken,
      ...(isBroken && !isOpen && { brokenAt: first?.endedAt ?? span.startedAt }),
      summary: code('Behaviour', { behaviour }),
      measures: {
        notAdmitted: sent - within.Admitted,
        underLimit: sent,
        ...(failed.serverErrors > 0 && { serverErrors: failed.serverErrors }),
      },
      figure: notAdmitted,
      unproven: [
        // The limit distinguishes a limiter that forgets from one that fails open.
        over.onceMore?.isRejected === false &&
          pods.some((one) => one.behaviour === 'Forgets') &&
          code('NotRejectedAgain'),
        ...controlShortfalls(view),
        ...pods.flatMap((one) => requestShortfalls(one, oneLimit)),
      ],
      missing: [
        isNear && border && code('NearBorderOfAccepted', border),
        slow.length > 0 && !accepts(behaviour) && controls,
        isUnreached && code('CrossingNotRejected'),
      ],
      evidence: [
        within.Admitted < sent && notAdmitted,
        failed.statuses.length > 0 && code('Statuses', failed),
        border && code('NearBorder', border),
        behaviour === 'Enforces' && !oneLimit && code('Reached', { isReached }),
        controls.pods.length > 0 && controls,
        within.Timeout > 0 &&
          pods.every(({ control }) => sizeOf(control) === 0) &&
          code('NoControls', { oneLimit }),
      ],
      byPod: pods.map((one) => code('PodBehaviour', one)),
    };
  }),
};

/**
 * What callers got since a fault began, while it goes on: no finding, since the rest of the fault may change it.
 * Undefined before the fault, after it, and while no owed request has had its time in it.
 */
export function soFarIn(seen: OutageSeen) {
  const view = viewOf(seen);
  if (!view?.isOngoing || finishedAt(seen) !== undefined) return undefined;
  const within = countsOf(sidesOf(view, view.phases.during).within);
  const of = sizeOf(within);
  const { over } = view.over;
  const { callerTimeoutMs: withinMs } = view.settings.plan;
  const figures = { of, failed: of - within.Admitted, within, withinMs };
  return of === 0 ? undefined : code('SoFar', { ...figures, over: over.excess > 0 ? over : undefined });
}

/** A status with which a server refuses on purpose. */
const UNAVAILABLE = 503;

/** The statuses of owed requests that were not admitted, as far as they are recorded. */
function failedOf(owed: readonly CallerRequest[]) {
  const failed = owed.filter(({ outcome }) => outcome !== 'Admitted');
  const statuses = [...Map.groupBy(failed, ({ status }) => status)]
    .flatMap(([status, some]) =>
      status === undefined ? [] : [{ status, requests: some.length, p50Ms: latencyOf(some)?.p50Ms ?? 0 }],
    )
    .toSorted((a, b) => b.requests - a.requests);
  const serverErrors = statuses
    .filter(({ status }) => status >= 500 && status !== UNAVAILABLE)
    .reduce((sum, { requests }) => sum + requests, 0);
  return { serverErrors, statuses };
}

/**
 * Pods that may be slow, which may be why callers under their limit had no answer: some control requests had no answer
 * either. If none of them had, the path needs Redis like the limiter, and shows nothing. If callers had none first, the
 * limiter may have used up a resource that control requests need, such as a thread pool.
 */
function slowPods(pods: readonly PodBehaviour[]): readonly PodBehaviour[] {
  return pods.filter(({ control, hungFirst, within }) => {
    const { from, to } = shareInterval(control.Timeout, sizeOf(control));
    return within.Timeout > 0 && hungFirst < LEAST_REQUESTS && from > 1 - SHARE && to < SHARE;
  });
}

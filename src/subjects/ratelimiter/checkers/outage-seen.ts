/**
 * What callers got around one fault of the store, as the checkers of an outage share it: which requests they were owed,
 * and how many over its limit any caller was admitted, by which pods, and how many of them after the fault. By the
 * sender's own count. Derived in docs/research/limits.md. Pure.
 */

import { type Finding, NOTHING, once } from '../../checkers/checker.ts';
import type { RecordSetup } from '../../checkers/record.ts';
import { admittedAt, firstOf, phasesOf, type Span } from '../../checkers/requests.ts';
import { goneOf, type Seen } from '../../checkers/seen.ts';
import type { CallerRequest } from '../../history/events.ts';
import { isAsking, overKey } from '../history/caller-keys.ts';
import type { Setup } from '../history/setup.ts';
import { hasOtherWindow, livingOf, named, nameOf, returnsOf } from '../limits/counting.ts';
import { owedOf } from '../limits/least-owed.ts';
import { type OverAdmission, overAdmission } from '../limits/over-admission.ts';
import { leastOf, type Rules } from '../limits/rate-limit.ts';
import { returnsWithin } from '../limits/window-turn.ts';

/** All that the checkers need to know before the first event. */
export interface OutageSetup
  extends RecordSetup,
    Pick<Setup, 'baseline' | 'clockWithinMs' | 'fixture' | 'preparedAt'> {
  /** As `OutagePlan`. */
  readonly plan: RecordSetup['plan'] & {
    readonly rules: Rules;
    readonly full: number;
    readonly callerTimeoutMs: number;
    readonly recoverMs: number;
    readonly isOneCaller: boolean;
    readonly parameters: { readonly accept: readonly string[] };
    /** From which the callers are drawn. */
    seedIn(fixture: string): number;
  };
}

export type OutageSeen = Seen<OutageSetup>;

/** No window is shorter; milliseconds. */
const SHORTEST_MS = 1000;

/** A timer may be early, and a request may be sent in the turn before; milliseconds. */
const TIMER_MS = 50;

/**
 * How the limiter counts, as far as it is known. `open`: by which rules, before any caller was asked for its limit after
 * the fault; `rules`: by which of those then; none: what these callers got contradicts all of them. `bounds`: the same
 * with the shortest window that is possible, if nothing has shown the stated one.
 */
export const countingIn = once(({ requests, setup, times }: OutageSeen) => {
  const { baseline, clockWithinMs, fixture, plan, pods } = setup;
  const open = named(plan.rules, baseline?.rules);
  const returnsIn = (some: readonly CallerRequest[]) => returnsOf(some, plan.full, pods.length);
  const returns = returnsIn(requests.filter(({ key = '' }) => isAsking(fixture, key)));
  // The caller over its limit asked until the fault was planned.
  const { plannedAt = Infinity } = times;
  const before = plan.isOneCaller
    ? []
    : returnsIn(requests.filter(({ endedAt, key }) => key === overKey(fixture) && endedAt < plannedAt));
  const first = livingOf(open, before, clockWithinMs);
  // One that is not explained by another window either is not in order: that is judged.
  const isOther = before.every((each) => hasOtherWindow(each, plan.full));
  const possible = first.length > 0 || isOther ? first : open;
  const living = livingOf(possible, returns, clockWithinMs);
  // Callers that asked get the same of a log, which never admits more than windows from the first request.
  const isEither = returns.length > 0 && living.some((rule) => nameOf(rule) === 'FirstRequest');
  const rules = isEither ? living.filter(({ algorithm }) => algorithm !== 'SlidingWindow') : living;
  const isSeen = baseline?.isWindowOpen !== true || returns.length > 0;
  const shortestMs = Math.max(SHORTEST_MS, ...before.map(({ after, usedUpBy }) => after - usedUpBy));
  return {
    open,
    returns: returns.length > 0 ? returns : before,
    rules,
    bounds: isSeen
      ? rules
      : rules.map((rule) => ({ ...rule, windowMs: Math.min(rule.windowMs, shortestMs) })),
  };
});

/** When callers begin to wait for their limits, after the traffic, and from when on these must have returned. */
function timesOfReturn({ last, setup }: OutageSeen) {
  const returnsAt = last['traffic-ended']?.at ?? Number.POSITIVE_INFINITY;
  const withinMs = returnsWithin(setup.plan.rules) ?? 0;
  return { returnsAt, returnedAt: (last.return?.at ?? returnsAt) + withinMs - TIMER_MS };
}

/** What all requests together show; undefined until the fault was seen to begin, or was reported. */
export const viewOf = once((seen: OutageSeen) => {
  const { setup, times } = seen;
  const { endedAt, presumed, startedAt } = times;
  const { callerTimeoutMs, recoverMs } = setup.plan;
  const isOngoing = startedAt !== undefined && endedAt === undefined;
  const untilNow = seen.requests.at(-1)?.endedAt ?? startedAt ?? 0;
  const span = startedAt === undefined ? presumed : { startedAt, endedAt: endedAt ?? untilNow };
  if (!span) return undefined;
  const gone = goneOf(seen);
  // Of the pods that stayed. Admissions over the limit by other pods count, too.
  const settings = { ...setup, pods: setup.pods.filter((name) => !gone.has(name)) };
  const drawn = seen.requests.filter(({ caller }) => caller === 'Drawn');
  const judged = seen.requests.filter(
    (request) => !gone.has(request.pod) || admittedAt(request) !== undefined,
  );
  const judgedDrawn = judged.filter(({ caller }) => caller === 'Drawn');
  const { returnedAt, returnsAt } = timesOfReturn(seen);
  const requests = judged.filter(({ sentAt }) => sentAt < returnsAt);
  return {
    settings,
    span,
    /** Whether start and end of the fault were seen; otherwise the span is until now, or the planned one. */
    isSeen: startedAt !== undefined && endedAt !== undefined,
    isOngoing,
    /** Of the traffic around the fault. */
    requests,
    /** Of callers that ask while others wait for their limits, and of all once these must have returned. */
    waiting: judged.filter(({ sentAt }) => sentAt >= returnsAt && sentAt < returnedAt),
    returning: judged.filter(({ sentAt }) => sentAt >= returnedAt),
    returnedAt,
    // In the fault, every failure may still be counted.
    owed: owedIn(countingIn(seen).open, drawn, isOngoing ? Infinity : span.endedAt + recoverMs),
    phases: phasesOf(requests, span, callerTimeoutMs),
    over: overOf(seen, judgedDrawn, span, returnsAt),
  };
});

export type OutageView = NonNullable<ReturnType<typeof viewOf>>;

/** A finding that needs both ends of the fault; nothing is found without them. */
export function inFault<F extends Finding>(find: (view: OutageView, seen: OutageSeen) => F) {
  return (seen: OutageSeen): F | Finding<never> => {
    const view = viewOf(seen);
    return view?.isSeen ? find(view, seen) : NOTHING;
  };
}

/** Requests of callers, by whether the limiter owed them. */
export function sidesOf({ owed }: Pick<OutageView, 'owed'>, requests: readonly CallerRequest[]) {
  const drawn = requests.filter(({ caller }) => caller === 'Drawn');
  return {
    within: drawn.filter((request) => owed.has(request)),
    beyond: drawn.filter((request) => !owed.has(request)),
  };
}

/**
 * The requests that the limiter still owed their callers when they sent them.
 * @param requests all of a population
 * @param settledAt until when a request may be counted of which the caller got no admission and no rejection
 */
export function owedIn(
  rules: Rules,
  requests: readonly CallerRequest[],
  settledAt: number,
): ReadonlySet<CallerRequest> {
  const sent = requests.map((request) => {
    const { endedAt, late, outcome, sentAt } = request;
    const isRejected = outcome === 'Rejected';
    const isOpen = outcome !== 'Admitted' && !isRejected && sentAt < settledAt;
    const countedBy = Math.max(isOpen ? settledAt : endedAt, late?.at ?? 0);
    return { request, sentAt, endedAt, countedBy, isRejected };
  });
  const byKey = Map.groupBy(sent, ({ request }) => request.key);
  return new Set([...byKey.values()].flatMap((own) => [...owedOf(rules, own)].map(({ request }) => request)));
}

/** An admitted request, with the pod that admitted it, and when it did. */
export type PodAdmission = Pick<CallerRequest, 'endedAt' | 'pod' | 'sentAt'>;

/** What was admitted to callers that have a limit to exceed. */
export type Over = ReturnType<typeof overOf>;

/**
 * Judges every caller that sent more than its limit admits at once. `requests` of a population, in any order.
 * @param returnsAt when callers begin to wait for their limit, after the traffic
 */
function overOf(
  seen: OutageSeen,
  requests: readonly CallerRequest[],
  { endedAt, startedAt }: Span,
  returnsAt: number,
) {
  // There was certainly no fault until it was planned.
  const { countsLostAt, plannedAt = startedAt } = seen.times;
  const { fixture, plan } = seen.setup;
  // If it fails over, two servers may count at the same time, and the counts of one are lost.
  const { failsOver, full, isOneCaller } = plan;
  const all = limitedCallers(seen, requests);
  const inFault = ({ sentAt }: PodAdmission): boolean => sentAt < endedAt;
  // Counts that a failover has lost are missed once it has ended.
  const until = (each: PodAdmission): boolean => failsOver || inFault(each);
  const leaking = leakingPods(
    all.map(({ admitted, overIn }) => ({
      before: admitted.filter(({ endedAt: at }) => at <= startedAt),
      since: admitted.filter((each) => each.endedAt > startedAt && until(each)),
      excessOf: (some) => overIn(some).excess,
    })),
  );
  // Of a caller that had something left, an admission may be the one that was owed: others were perhaps not counted.
  const afterwards = all.flatMap(({ admitted, overIn }) => {
    const before = admitted.filter((each) => {
      // What was counted before is lost.
      if (countsLostAt !== undefined) return inFault(each) && each.sentAt >= countsLostAt;
      // Admissions in the fault may never have been counted, and a window may have ended since.
      return isOneCaller ? inFault(each) : each.endedAt <= startedAt;
    });
    const since = admitted.filter((each) => !inFault(each) && each.sentAt < returnsAt);
    const excessOf = (some: readonly PodAdmission[]): number => overIn(some).excess;
    return before.length >= full ? [{ before, since, excessOf }] : [];
  });
  const calm = all.map(({ admitted, overIn }) =>
    overIn(admitted.filter(({ endedAt: at }) => at <= plannedAt)),
  );
  const worst = most(all, ({ over }) => over);
  const suspect = most(all, ({ strict }) => strict);
  const excessOf = (some: readonly LimitedCaller[]): number =>
    Math.max(0, ...some.map(({ over }) => over.excess));
  return {
    /** Over all pods, from its first request to its last: of the caller with the most. */
    over: worst?.over ?? NONE_OVER,
    /** The same by the strictest rule: no proof while others live. */
    suspect: suspect?.strict ?? NONE_OVER,
    /** How often that caller was admitted before the fault; undefined: no caller sent enough. */
    usedBefore: worst?.admitted.filter(({ endedAt: at }) => at <= startedAt).length,
    /** Requests over the bound: of the caller over its limit before the fault, and the most of any other. */
    excess: {
      beyond: excessOf(all.filter(({ key }) => key === overKey(fixture))),
      crossing: excessOf(all.filter(({ key }) => key !== overKey(fixture))),
    },
    /** Until the fault began: of the caller with the most. */
    before: most(calm, (over) => over) ?? NONE_OVER,
    /** Admissions over the limit by requests that were sent after the fault, to callers that had nothing left. */
    after: afterOf(afterwards),
    /** If Redis lost counts of callers, when the fault began or by a failover: the outcome. */
    onceMore: failsOver || countsLostAt !== undefined ? onceMoreOf(seen, all) : undefined,
    /** Pods that admitted a caller over its limit in the fault. */
    leaking,
    /** Requests of callers over their limit with an unknown outcome: they may have been admitted. */
    unknown: all
      .flatMap(({ requests: own }) => own)
      .filter(({ late, outcome }) => outcome === 'Timeout' && !late).length,
  };
}

/** `more`: of the caller with the most; `lastBy`: the last admission over the limit by each pod that exceeded it. */
function afterOf(callers: readonly Leak[]) {
  const found = callers.map((one) => ({ ...one, ...overAfter(one.before, one.since, one.excessOf) }));
  const pods = leakingPods(callers.map((one) => ({ ...one, allowed: one.excessOf(one.before) })));
  const lastBy = new Map<string, number>();
  for (const { lastAt = -Infinity, since } of found) {
    for (const { endedAt, pod } of since) {
      if (endedAt > lastAt || !pods.has(pod)) continue;
      lastBy.set(pod, Math.max(endedAt, lastBy.get(pod) ?? 0));
    }
  }
  return { more: Math.max(0, ...found.map(({ more }) => more)), lastBy };
}

const NONE_OVER = overAdmission([], [], { firstSentAt: 0 });

/** The one with the largest excess, and of several the first. */
function most<T>(all: readonly T[], overOf: (one: T) => OverAdmission): T | undefined {
  const excess = Math.max(...all.map((one) => overOf(one).excess));
  return all.find((one) => overOf(one).excess === excess);
}

/**
 * Both primaries of a failover count, from the same counts on, so that each may admit a caller up to its limit. If counts
 * were lost, only requests that were sent after that were certainly decided after it.
 */
function onceMoreOf(seen: OutageSeen, limited: readonly LimitedCaller[]) {
  const { countsLostAt = -Infinity } = seen.times;
  const { failsOver } = seen.setup.plan;
  const since = limited.map((one) => {
    const own = one.requests.filter(({ sentAt }) => sentAt >= countsLostAt);
    return { again: failsOver ? one : limitedCaller(seen, one.key, own), over: one.over };
  });
  return {
    /** No caller was admitted more than a new one may be, or than two primaries admit. */
    isMost: since.every(({ again }) => again.overIn(again.admitted, failsOver ? 2 : 1).excess === 0),
    /** A caller that was admitted over its limit was rejected after that. */
    isRejected: since.some(({ again, over }) => over.excess > 0 && isRejectedInTheEnd(again)),
  };
}

/** Whether a request was rejected that was sent after the last admission. */
function isRejectedInTheEnd({ admitted, requests }: LimitedCaller): boolean {
  const lastAt = admitted.reduce((last, { endedAt }) => Math.max(last, endedAt), -Infinity);
  return requests.some(({ outcome, sentAt }) => outcome === 'Rejected' && sentAt >= lastAt);
}

/** One caller with more requests than its limit admits at once. */
type LimitedCaller = ReturnType<typeof limitedCaller>;

/** The callers that sent enough to exceed their limits. */
export function limitedCallers(seen: OutageSeen, requests: readonly CallerRequest[]): LimitedCaller[] {
  const { plan, preparedAt } = seen.setup;
  // The one limit was replenished then.
  const counting = plan.isOneCaller ? requests.filter(({ sentAt }) => sentAt >= preparedAt) : requests;
  return [...Map.groupBy(counting, ({ key = '' }) => key)]
    .filter(([, own]) => own.length > plan.full)
    .map(([key, own]) => limitedCaller(seen, key, own));
}

/**
 * When a caller that had only waited for its limit sent again: all that was counted of it is forgotten, so that it is as
 * new. Infinite: it did not, or more of it may have been counted.
 */
function newAgainAt(seen: OutageSeen, requests: readonly CallerRequest[]): number {
  const { returnedAt, returnsAt } = timesOfReturn(seen);
  const again = requests.filter(({ sentAt }) => sentAt >= returnedAt);
  const before = requests.filter(({ endedAt, late }) => Math.max(endedAt, late?.at ?? 0) <= returnsAt);
  const isWhole = seen.dropped + seen.leftOut + goneOf(seen).size === 0;
  return isWhole && before.length + again.length === requests.length ? firstOf(again) : Infinity;
}

function limitedCaller(seen: OutageSeen, key: string, requests: readonly CallerRequest[]) {
  const { dropped, leftOut, setup } = seen;
  const { clockWithinMs, preparedAt } = setup;
  const { bounds, open, rules: living } = countingIn(seen);
  const isRefuted = living.length === 0;
  const rules = isRefuted ? open : living;
  // Earlier is safe, since more windows may have ended then.
  const firstSentAt = dropped === 0 && leftOut === 0 ? firstOf(requests) : preparedAt;
  const againAt = newAgainAt(seen, requests);
  /** @param servers as in `KnownOfKey` */
  const known = { firstSentAt, againAt, clockWithinMs };
  const overIn = (some: readonly PodAdmission[], servers = 1): OverAdmission =>
    overAdmission(rules, some, { ...known, servers, ...(!isRefuted && { bounds }) });
  const admitted = requests.flatMap((request): PodAdmission[] => {
    const endedAt = admittedAt(request);
    return endedAt === undefined ? [] : [{ pod: request.pod, sentAt: request.sentAt, endedAt }];
  });
  const over = overIn(admitted);
  const strict = over.excess === 0 ? overAdmission(rules, admitted, { ...known, boundOf: leastOf }) : over;
  return { key, requests, admitted, overIn, over, strict };
}

/** What one caller was admitted, and how much of it is more than the limit allows. */
export interface Leak {
  readonly before: readonly PodAdmission[];
  readonly since: readonly PodAdmission[];
  readonly excessOf: (some: readonly PodAdmission[]) => number;
  /** What is no leak; default: 0. */
  readonly allowed?: number;
}

/**
 * The pods that leaked. A pod leaked if its own admissions to a caller, on top of those of all pods before, exceed the
 * limit; admissions of others in that time are not included. If the rest exceed it only together, each of them that
 * admitted anything leaked.
 */
export function leakingPods(callers: readonly Leak[]): ReadonlySet<string> {
  const exceeds = ({ allowed = 0, before, excessOf }: Leak, some: Leak['since']): boolean =>
    excessOf([...before, ...some]) > allowed;
  const over = callers.filter((one) => exceeds(one, one.since));
  const alone = new Set(
    over.flatMap((one) =>
      [...Map.groupBy(one.since, ({ pod }) => pod)].flatMap(([pod, own]) => (exceeds(one, own) ? pod : [])),
    ),
  );
  const together = over.flatMap((one) => {
    const rest = one.since.filter(({ pod }) => !alone.has(pod));
    return exceeds(one, rest) ? rest.map(({ pod }) => pod) : [];
  });
  return new Set([...alone, ...together]);
}

/**
 * How many requests over its limit a caller was admitted after a fault, in addition to those before.
 * `lastAt`: when the last of them was answered, in milliseconds since the epoch.
 * @param until admitted until the end of the fault
 * @param since admitted of those sent after it, in any order
 * @param excessOf how many of these exceed the limit; never less with more of them
 */
export function overAfter<T extends Pick<PodAdmission, 'endedAt'>>(
  until: readonly T[],
  since: readonly T[],
  excessOf: (some: readonly T[]) => number,
): { readonly more: number; readonly lastAt?: number } {
  // The usual case; the rest is slow with many requests.
  if (since.length === 0) return { more: 0 };
  const inOrder = since.toSorted((a, b) => a.endedAt - b.endedAt);
  const excessWith = (count: number): number => excessOf([...until, ...inOrder.slice(0, count)]);
  const most = excessWith(inOrder.length);
  const more = most - excessWith(0);
  if (more <= 0) return { more: 0 };
  let [below, enough] = [0, inOrder.length];
  while (enough - below > 1) {
    const middle = Math.floor((below + enough) / 2);
    if (excessWith(middle) < most) below = middle;
    else enough = middle;
  }
  const last = inOrder[enough - 1];
  return { more, ...(last && { lastAt: last.endedAt }) };
}

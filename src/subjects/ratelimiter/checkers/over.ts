/**
 * How many requests over its limit any caller was admitted, by which pods, and how many of them after the fault. By the
 * sender's own count. Derived in docs/limits.md. Pure.
 */
import type { CallerKind, CallerRequest } from '../history/events.ts';
import { type AdmittedRequest, type OverAdmission, overAdmission } from '../limits/over-admission.ts';
import { admittedAt, type CallerSettings, firstOf, type Span } from './requests.ts';

/** An admitted request, with the pod that admitted it. */
export interface PodAdmission extends AdmittedRequest {
  readonly pod: string;
}

/** What was admitted to callers that have a limit to exceed. */
export type Over = ReturnType<typeof overOf>;

/**
 * Judges every caller that has a limit to exceed. `requests` in any order, from before the fault on.
 * @param afterwards requests of the callers that use their limits up after the fault, and wait for them
 */
export function overOf(
  settings: CallerSettings,
  requests: readonly CallerRequest[],
  { endedAt, startedAt }: Span,
  afterwards: readonly CallerRequest[] = [],
) {
  const { calmUntil = startedAt, countsLostAt, oneLimitFrom } = settings;
  const limited = limitedCallers(settings, requests);
  const all = [...limited, ...callersAfterwards(settings, requests, afterwards, endedAt)];
  const beyond = limited.find(({ kind }) => kind === 'Over') ?? limitedCaller(settings, 'Over', []);
  const inFault = ({ sentAt }: PodAdmission): boolean => sentAt < endedAt;
  const leaking = new Set<string>();
  for (const { admitted, overIn } of all) {
    // Counts that a failover has lost are missed once it has ended.
    const until = settings.countsForked ? admitted : admitted.filter(inFault);
    if (overIn(until).excess === 0) continue;
    for (const pod of leakingPods(until, startedAt, (each) => overIn(each).excess > 0)) leaking.add(pod);
  }
  const isOver = ({ kind }: LimitedCaller): boolean => kind === 'Over' || oneLimitFrom !== undefined;
  const excessOf = (some: readonly LimitedCaller[]): number =>
    Math.max(0, ...some.map(({ over }) => over.excess));
  return {
    /** Over all pods, from its first request to its last: of the caller with the most. */
    over: most(all.map(({ over }) => over)),
    /**
     * Requests over the bound: of the caller over its limit, and the most of any other that reaches it, in the fault or
     * afterwards; `over` has the larger.
     */
    excess: {
      beyond: excessOf(all.filter(isOver)),
      crossing: excessOf(all.filter((one) => !isOver(one))),
    },
    /** Until the fault began: of the caller with the most. */
    before: most(
      limited.map((one) => one.overIn(one.admitted.filter(({ answeredAt }) => answeredAt <= calmUntil))),
    ),
    /** Admissions over the limit of the caller over its limit, by requests that it sent after the fault. */
    after: overAfter(
      beyond.admitted.filter((each) => {
        // What was counted before is lost.
        if (countsLostAt !== undefined) return inFault(each) && each.sentAt >= countsLostAt;
        // Admissions in the fault may never have been counted, and a window may have ended since.
        return oneLimitFrom === undefined ? each.answeredAt <= startedAt : inFault(each);
      }),
      beyond.admitted.filter((each) => !inFault(each)),
      (some) => beyond.overIn(some).excess,
    ),
    /** If Redis lost counts of callers, when the fault began or by a failover: the outcome. */
    onceMore: settings.countsForked
      ? forkedOf(all)
      : countsLostAt === undefined
        ? undefined
        : onceMoreOf(settings, all, countsLostAt, endedAt),
    /** Pods that admitted a caller over its limit in the fault. */
    leaking,
    /** What was admitted to the caller over its limit. */
    beyond: beyond.admitted,
    /** Requests of callers over their limit with an unknown outcome: they may have been admitted. */
    unknown: limited.reduce((sum, one) => sum + one.unknown, 0),
  };
}

/** The one with the largest excess, and of several the first. */
function most(all: readonly OverAdmission[]): OverAdmission {
  const none = { excess: 0, admitted: 0, bound: 0, from: 0, to: 0 };
  return all.reduce((worst, one) => (one.excess > worst.excess ? one : worst), all[0] ?? none);
}

/** Only requests that were sent after the loss were certainly decided after it. */
function onceMoreOf(
  settings: CallerSettings,
  limited: readonly LimitedCaller[],
  countsLostAt: number,
  endedAt: number,
) {
  const since = limited.map(({ kind, over, requests }) => {
    // A caller that was new after the loss did not get its limit once more.
    const until = kind === 'Account' ? Infinity : endedAt;
    const own = requests.filter(({ sentAt }) => sentAt >= countsLostAt && sentAt < until);
    return { again: limitedCaller({ ...settings, firstSentAt: firstUseOf(settings, own) }, kind, own), over };
  });
  return {
    /** No caller was admitted more than a new one may be. */
    isMost: since.every(({ again }) => again.over.excess === 0),
    /** A caller that was admitted over its limit was rejected after that. */
    isRejected: since.some(({ again, over }) => over.excess > 0 && isRejectedInTheEnd(again)),
  };
}

/** Both primaries of a failover count, from the same counts on, so that each may admit a caller up to its limit. */
function forkedOf(limited: readonly LimitedCaller[]): ReturnType<typeof onceMoreOf> {
  return {
    isMost: limited.every(({ admitted, overIn }) => overIn(admitted, 2).excess === 0),
    isRejected: limited.some((one) => one.over.excess > 0 && isRejectedInTheEnd(one)),
  };
}

/** Whether a request was rejected that was sent after the last admission. */
function isRejectedInTheEnd({ admitted, requests }: LimitedCaller): boolean {
  const lastAt = admitted.reduce((last, { answeredAt }) => Math.max(last, answeredAt), -Infinity);
  return requests.some(({ outcome, sentAt }) => outcome === 'Rejected' && sentAt >= lastAt);
}

/** One caller that has a limit to exceed. */
type LimitedCaller = ReturnType<typeof limitedCaller>;

/** The callers that have a limit to exceed until the end of the fault. */
export function limitedCallers(
  settings: CallerSettings,
  requests: readonly CallerRequest[],
): LimitedCaller[] {
  const { oneLimitFrom } = settings;
  if (oneLimitFrom !== undefined) {
    const own = requests.filter(({ sentAt }) => sentAt >= oneLimitFrom);
    return [limitedCaller({ ...settings, firstSentAt: firstUseOf(settings, own) }, 'Over', own)];
  }
  const kinds: readonly CallerKind[] = ['Over', 'New', 'Crossing'];
  return kinds.flatMap((kind) => {
    const own = requests.filter(({ caller }) => caller === kind);
    return [...Map.groupBy(own, ({ key }) => (kind === 'Crossing' ? key : undefined)).values()].map((of) =>
      limitedCaller(
        kind === 'Over' ? settings : { ...settings, firstSentAt: firstUseOf(settings, of) },
        kind,
        of,
      ),
    );
  });
}

/**
 * Callers that use their limits up after the fault. Of one that sent nothing in it, requests may be missing from the
 * record.
 */
function callersAfterwards(
  settings: CallerSettings,
  requests: readonly CallerRequest[],
  afterwards: readonly CallerRequest[],
  endedAt: number,
): LimitedCaller[] {
  const { oneLimitFrom } = settings;
  const callers =
    oneLimitFrom === undefined
      ? [...Map.groupBy(afterwards, ({ key }) => key).values()]
      : [[...requests.filter(({ sentAt }) => sentAt >= oneLimitFrom), ...afterwards]];
  return callers
    .filter((own) => own.some(({ sentAt }) => sentAt < endedAt))
    .map((own) => limitedCaller({ ...settings, firstSentAt: firstUseOf(settings, own) }, 'Account', own));
}

/** When a key was first used, at the latest; earlier is safe, since more windows may have ended then. */
function firstUseOf(
  { firstSentAt, isGapless = true, oneLimitFrom }: CallerSettings,
  requests: readonly CallerRequest[],
): number | undefined {
  return isGapless ? firstOf(requests) : (oneLimitFrom ?? firstSentAt);
}

function limitedCaller(
  { clockWithinMs, firstSentAt, limit }: CallerSettings,
  kind: CallerKind,
  requests: readonly CallerRequest[],
) {
  /** @param servers as in `KnownOfKey` */
  const overIn = (some: readonly PodAdmission[], servers = 1): OverAdmission =>
    overAdmission(limit, some, { firstSentAt, clockWithinMs, servers });
  const admitted = requests.flatMap((request): PodAdmission[] => {
    const answeredAt = admittedAt(request);
    return answeredAt === undefined ? [] : [{ pod: request.pod, sentAt: request.sentAt, answeredAt }];
  });
  const unknown = requests.filter(({ outcome, late }) => outcome === 'Timeout' && !late).length;
  return { kind, requests, admitted, unknown, overIn, over: overIn(admitted) };
}

/**
 * The pods that leaked from `startedAt` on. A pod leaked if its own admissions, on top of those of all pods before,
 * exceed the limit; admissions of others during that time are not included. If the rest exceed it only together, each
 * of them that admitted anything leaked. `exceed`: whether these are more than the limit allows.
 */
export function leakingPods(
  admitted: readonly PodAdmission[],
  startedAt: number,
  exceed: (some: readonly PodAdmission[]) => boolean,
): ReadonlySet<string> {
  const before = admitted.filter(({ answeredAt }) => answeredAt <= startedAt);
  const since = admitted.filter(({ answeredAt }) => answeredAt > startedAt);
  const leaking = new Set<string>();
  for (const [pod, own] of Map.groupBy(since, (each) => each.pod)) {
    if (exceed([...before, ...own])) leaking.add(pod);
  }
  const rest = since.filter(({ pod }) => !leaking.has(pod));
  if (exceed([...before, ...rest])) for (const { pod } of rest) leaking.add(pod);
  return leaking;
}

/**
 * How many requests over its limit a caller was admitted after a fault, in addition to those before.
 * `lastAt`: when the last of them was answered, in milliseconds since the epoch.
 * @param until admitted until the end of the fault
 * @param since admitted of those sent after it, in any order
 * @param excessOf how many of these exceed the limit; never less with more of them
 */
export function overAfter<T extends AdmittedRequest>(
  until: readonly T[],
  since: readonly T[],
  excessOf: (some: readonly T[]) => number,
): { readonly more: number; readonly lastAt?: number } {
  // The usual case; the rest is slow with many requests.
  if (since.length === 0) return { more: 0 };
  const inOrder = since.toSorted((a, b) => a.answeredAt - b.answeredAt);
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
  return { more, ...(last && { lastAt: last.answeredAt }) };
}

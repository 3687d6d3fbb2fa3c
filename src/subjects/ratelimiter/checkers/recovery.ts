/**
 * Recovery: whether every pod treats callers as before once the fault has ended, and how soon: it admits what it owes,
 * and no more than the limit. And whether callers get their limit back after a window without requests. Pure.
 */

import type { Measures } from '../../../api/index.ts';
import { code, NOTHING } from '../../checkers/checker.ts';
import { admittedAt, countsOf, sizeOf, totalOf } from '../../checkers/requests.ts';
import { restartedOf } from '../../checkers/seen.ts';
import { LEAST_REQUESTS, SHARE, shareInterval } from '../../checkers/share-interval.ts';
import type { CallerRequest } from '../../history/events.ts';
import { inFault, type OutageSeen, type OutageView, owedIn, sidesOf, viewOf } from './outage-seen.ts';

/**
 * What a pod still does when the time to recover has ended. admits: callers over their limits. gone: it accepts no
 * connection. fails: it rejects or fails requests that it owes. rejects: it rejected some of those, and treats others as before. errs: it has an error or no answer for requests that it need not admit.
 */
export type Lapse = 'admits' | 'errs' | 'fails' | 'gone' | 'rejects';

/** No window ends within this time; milliseconds. */
const NEVER_MS = 1e12;

/** A request after the fault. */
interface Sent {
  readonly request: CallerRequest;
  /** Whether its pod owed it. */
  readonly isOwed: boolean;
  /** Whether it was admitted by a pod that exceeded the limit, no later than its last over-admission. */
  readonly isBeyond: boolean;
}

/**
 * Requests within what their callers had never used: owed whether or not a window has ended. What is owed because one
 * has ended is judged by `limitReturn`.
 */
function unusedIn(
  { plan: { isOneCaller, rules }, preparedAt }: OutageView['settings'],
  requests: readonly CallerRequest[],
  settledAt: number,
): ReadonlySet<CallerRequest> {
  // The one limit was replenished then.
  const from = isOneCaller ? preparedAt : -Infinity;
  const drawn = requests.filter(({ caller, sentAt }) => caller === 'Drawn' && sentAt >= from);
  const never = rules.map((rule) => ({ ...rule, windowMs: NEVER_MS }));
  return owedIn(never, drawn, settledAt);
}

/** Whether the pods treat callers as before. */
function recoveryIn({ over, owed, requests, settings, span, waiting }: OutageView) {
  const { pods } = settings;
  const { isOneCaller, recoverMs: settleMs } = settings.plan;
  const { endedAt } = span;
  const boundAt = endedAt + settleMs;
  const since = requests
    .filter(({ caller, sentAt }) => sentAt >= endedAt && caller === 'Drawn')
    .sort((a, b) => a.sentAt - b.sentAt)
    .map((request): Sent => {
      const isOwed = owed.has(request);
      const until = over.after.lastBy.get(request.pod) ?? -Infinity;
      return { request, isOwed, isBeyond: !isOwed && (admittedAt(request) ?? Infinity) <= until };
    });
  // A failed request may be chance; a rejection is decided.
  const rejected = [...requests, ...waiting].filter(
    (request) => request.sentAt >= boundAt && request.outcome === 'Rejected' && owed.has(request),
  );
  const unused = rejected.length === 0 ? owed : unusedIn(settings, [...requests, ...waiting], boundAt);
  const rejecting = new Set(rejected.filter((request) => unused.has(request)).map(({ pod }) => pod));
  const lastAt = since.at(-1)?.request.sentAt ?? endedAt;
  const ofPod = Map.groupBy(since, ({ request }) => request.pod);
  const found = pods.map((pod) => ({ pod, own: ofPod.get(pod) ?? [] }));
  const rejectedAt = since.find(isRejection)?.request.endedAt;
  const recovered = found.map(({ own }) => recoveredAt(own, rejectedAt, isOneCaller));
  const isComplete = pods.length > 0 && !recovered.includes(undefined);
  const afterMs = isComplete ? Math.max(...recovered.map((at) => at ?? 0)) - endedAt : undefined;
  const isRejecting = pods.some((pod) => rejecting.has(pod));
  if (afterMs !== undefined && afterMs <= settleMs && !isRejecting) return code('Recovered', { afterMs });
  const lapses = new Map(
    found.flatMap(({ own, pod }) => {
      const lapse = lapseOf(own, boundAt, (endedAt + lastAt) / 2) ?? (rejecting.has(pod) && 'rejects');
      return lapse ? [[pod, lapse] as const] : [];
    }),
  );
  // `lapses`: pods that had not recovered when the bound was reached.
  if (lapses.size > 0) return code('NotRecovered', { lapses, afterMs, watchedMs: lastAt - endedAt });
  if (afterMs !== undefined) return code('RecoveredLate', { afterMs });
  const beyond = since.filter(({ isOwed, request }) => !isOwed && pods.includes(request.pod));
  return beyond.some(isRejection) ? code('FailedToTheEnd') : code('TooFewOverLimit', { have: beyond.length });
}

/**
 * The first answer from which on a pod treats callers as before; undefined: none. A pod that admitted nothing over the
 * limit need not reject anything itself: what is replenished may happen to be admitted there, and rejected elsewhere.
 * @param own requests to it, in sending order
 * @param rejectedAt when any pod first rejected a request that it did not owe
 * @param isOneCaller the rest of the one limit is unknown: nothing is owed
 */
function recoveredAt(
  own: readonly Sent[],
  rejectedAt: number | undefined,
  isOneCaller: boolean,
): number | undefined {
  const well = own.slice(own.findLastIndex(isBad) + 1);
  const good = well.find(({ isOwed }) => isOneCaller || isOwed);
  const beyond = own.findLast(({ isBeyond }) => isBeyond);
  const beyondAt = (beyond && admittedAt(beyond.request)) ?? -Infinity;
  const rejected = well.find((sent) => isRejection(sent) && sent.request.sentAt >= beyondAt);
  const enforcedAt = rejected?.request.endedAt ?? (beyond ? undefined : rejectedAt);
  return good && enforcedAt !== undefined ? Math.max(good.request.endedAt, enforcedAt) : undefined;
}

/** What shows that a pod had not recovered at `boundAt`: one failed request may be chance, an over-admission is not. */
function lapseOf(own: readonly Sent[], boundAt: number, halfAt: number): Lapse | undefined {
  const beyondBound = own.filter(({ request }) => request.sentAt >= boundAt);
  if (beyondBound.some(({ isBeyond }) => isBeyond)) return 'admits';
  if (!beyondBound.some(isBad)) return undefined;
  const fails = (side: boolean): boolean => {
    const some = own.filter(({ isOwed, request }) => isOwed === side && request.sentAt >= halfAt);
    const good = some.filter((sent) => !isBad(sent)).length;
    return some.length >= LEAST_REQUESTS && shareInterval(good, some.length).to < SHARE;
  };
  if (beyondBound.every(({ request }) => request.cause === 'Unreachable')) return 'gone';
  if (fails(true)) return 'fails';
  return fails(false) ? 'errs' : undefined;
}

/** What is not owed may be rejected, or admitted because something was replenished. */
function isBad({ isOwed, request: { outcome } }: Sent): boolean {
  return outcome === 'Rejected' ? isOwed : outcome !== 'Admitted';
}

function isRejection({ isOwed, request: { outcome } }: Sent): boolean {
  return !isOwed && outcome === 'Rejected';
}

/** The finding: every pod treats callers as before within the time to settle. */
export const recovery = {
  name: 'recovery',
  finding: inFault((view, seen) => {
    const found = recoveryIn(view);
    const { isOneCaller, recoverMs: settleMs } = view.settings.plan;
    const { beyond, within } = sidesOf(view, view.phases.after);
    const { more } = view.over.after;
    const isBroken = found.code === 'NotRecovered';
    const lapse = isBroken && { ...found, settleMs, restarted: restartedOf(seen) };
    return {
      ...(isBroken && { isBroken, brokenAt: view.span.endedAt, summary: code('NoRecovery', { settleMs }) }),
      // The time says nothing of a caller that was rejected after it.
      ...(lapse && (lapse.afterMs ?? Infinity) <= settleMs && { figure: lapse }),
      ...timeToRecovery(found, settleMs),
      missing: [found.code !== 'Recovered' && !isBroken && found],
      evidence: [
        code('AfterFault', { within: countsOf(within), over: countsOf(beyond), more, isOneCaller }),
        lapse,
      ],
    };
  }),
};

function timeToRecovery(found: ReturnType<typeof recoveryIn>, bound: number): Measures {
  if (found.code !== 'Recovered' && found.code !== 'NotRecovered') return {};
  const watchedMs = found.code === 'NotRecovered' ? found.watchedMs : 0;
  const measures = { timeToRecovery: Math.round(found.afterMs ?? watchedMs) };
  const atLeast = found.afterMs === undefined ? ['timeToRecovery'] : [];
  return { measures, bounds: { timeToRecovery: bound }, atLeast };
}

/** Undefined while it is unknown. */
export function limitReturnIn(seen: OutageSeen) {
  const { ended, return: awaited } = seen.last;
  if (!ended || !awaited) return undefined;
  const { at, why } = awaited;
  if (why !== undefined) return code('ReturnNotChecked', { why });
  const { owed, returning = [] } = viewOf(seen) ?? {};
  // Requests that the limiter owes again, in the order in which they ended.
  const again = returning.filter((request) => owed?.has(request));
  const byKey = Map.groupBy(again, ({ key }) => key);
  const callers = byKey.size;
  if (callers === 0) return code('ReturnNotChecked', { why: 'no caller was owed a request again' });
  const counts = [...byKey.values()].map(countsOf);
  const lockedOut = counts.filter(({ Rejected }) => Rejected > 0);
  // From the end of the traffic to the last request.
  const waitedMs = Math.round((again.at(-1)?.endedAt ?? at) - at);
  if (lockedOut.length > 0) {
    return code('NotReturned', { callers, lockedOut: lockedOut.length, got: totalOf(lockedOut), waitedMs });
  }
  // One that failed may be chance among many.
  const unclear = counts.filter((of) => of.Error + of.Timeout > 0 && of.Admitted < LEAST_REQUESTS).length;
  if (unclear > 0) return code('ReturnUnclear', { callers, unclear });
  const whole = counts.filter(({ Admitted }) => Admitted >= seen.setup.plan.full).length;
  return code('Returned', { callers, whole, most: Math.max(...counts.map(sizeOf)) });
}

export const limitReturn = {
  name: 'limitReturn',
  finding: inFault(({ span }, seen) => {
    const found = limitReturnIn(seen);
    if (!found) return NOTHING;
    const { lockOut } = seen.setup.baseline ?? {};
    const isBroken = found.code === 'NotReturned';
    return {
      evidence: [found, lockOut !== undefined && code('LockOut', { why: lockOut })],
      missing: found.code === 'ReturnUnclear' ? [found] : [],
      ...(isBroken && {
        isBroken,
        brokenAt: span.endedAt,
        summary: code('LockedOut'),
        measures: { lockedOut: found.lockedOut },
        bounds: { lockedOut: 0 },
      }),
    };
  }),
};

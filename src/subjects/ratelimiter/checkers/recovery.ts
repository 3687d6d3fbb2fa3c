/**
 * Recovery: whether every pod treats callers as before once the fault has ended, and how soon: it admits those under
 * their limit, and rejects the one over its limit. Pure.
 */
import type { Measure } from '../../../api/index.ts';
import type { CallerKind, CallerRequest } from '../history/events.ts';
import { LEAST_REQUESTS, SHARE } from './behaviour.ts';
import { code, NOTHING, once, type Some } from './checker.ts';
import { inFault, type OutageSeen, outageFold, restartedOf, viewOf } from './outage-seen.ts';
import { admittedAt, countsOf, type Span } from './requests.ts';
import { shareInterval } from './share-interval.ts';

/**
 * What a pod still does when the time to recover has ended. admits: the caller over its limit. fails: it rejects or fails
 * callers under their limit. errs: it has an error or no answer for the caller over its limit.
 */
export type Lapse = 'admits' | 'errs' | 'fails';

export interface KnownOfRecovery {
  /** How long after the fault pods may take to recover; milliseconds. */
  readonly settleMs: number;
  /** The last over-admission of the caller over its limit since the fault; undefined: there was none. */
  readonly lastBeyondAt?: number | undefined;
  /**
   * All requests are of one caller, and the rest of its limit is unknown: a rejection is as healthy as an admission.
   */
  readonly oneLimit?: boolean;
}

/** Whether these pods recovered after the fault, by requests in any order. */
export function recoveryOf(
  pods: readonly string[],
  requests: readonly CallerRequest[],
  { endedAt }: Span,
  known: KnownOfRecovery,
) {
  const since = requests
    .filter(({ caller, sentAt }) => sentAt >= endedAt && (caller === 'Under' || caller === 'Over'))
    .sort((a, b) => a.sentAt - b.sentAt);
  const lastAt = since.at(-1)?.sentAt ?? endedAt;
  const ofPod = Map.groupBy(since, ({ pod }) => pod);
  const found = pods.map((pod) => ({ pod, own: ofPod.get(pod) ?? [] }));
  const rejectedAt = since.find(
    ({ caller, outcome }) => caller === 'Over' && outcome === 'Rejected',
  )?.endedAt;
  const recovered = found.map(({ own }) => recoveredAt(own, rejectedAt, known));
  const isComplete = pods.length > 0 && !recovered.includes(undefined);
  const afterMs = isComplete ? Math.max(...recovered.map((at) => at ?? 0)) - endedAt : undefined;
  if (afterMs !== undefined && afterMs <= known.settleMs) return code('Recovered', { afterMs });
  const lapses = new Map(
    found.flatMap(({ own, pod }) => {
      const lapse = lapseOf(
        own,
        { boundAt: endedAt + known.settleMs, halfAt: (endedAt + lastAt) / 2 },
        known,
      );
      return lapse ? [[pod, lapse] as const] : [];
    }),
  );
  // `lapses`: pods that had not recovered when the bound was reached.
  if (lapses.size > 0) return code('NotRecovered', { lapses, afterMs, watchedMs: lastAt - endedAt });
  if (afterMs !== undefined) return code('RecoveredLate', { afterMs });
  const over = since.filter(({ caller, pod }) => caller === 'Over' && pods.includes(pod));
  return over.some(({ outcome }) => outcome === 'Rejected')
    ? code('FailedToTheEnd')
    : code('TooFewOverLimit', { have: over.length });
}

/**
 * The first answer from which on a pod treats callers as before; undefined: none. A pod that admitted nothing over the
 * limit need not reject anything itself: what is replenished may happen to be admitted there, and rejected elsewhere.
 * @param own requests to it, in sending order
 * @param rejectedAt when any pod first rejected the caller over its limit
 */
function recoveredAt(
  own: readonly CallerRequest[],
  rejectedAt: number | undefined,
  known: KnownOfRecovery,
): number | undefined {
  const well = own.slice(own.findLastIndex((request) => isBad(request, known)) + 1);
  const good = well.find(({ caller }) => known.oneLimit || caller === 'Under');
  const beyond = own.findLast((request) => isBeyond(request, known));
  const beyondAt = (beyond && admittedAt(beyond)) ?? -Infinity;
  const rejected = well.find(
    ({ caller, outcome, sentAt }) => caller === 'Over' && outcome === 'Rejected' && sentAt >= beyondAt,
  );
  const enforcedAt = rejected?.endedAt ?? (beyond ? undefined : rejectedAt);
  return good && enforcedAt !== undefined ? Math.max(good.endedAt, enforcedAt) : undefined;
}

/** What shows that a pod had not recovered at `boundAt`: one failed request may be chance, an over-admission is not. */
function lapseOf(
  own: readonly CallerRequest[],
  { boundAt, halfAt }: { readonly boundAt: number; readonly halfAt: number },
  known: KnownOfRecovery,
): Lapse | undefined {
  const beyondBound = own.filter(({ sentAt }) => sentAt >= boundAt);
  if (beyondBound.some((request) => isBeyond(request, known))) return 'admits';
  if (!beyondBound.some((request) => isBad(request, known))) return undefined;
  const fails = (kind: CallerKind): boolean => {
    const some = own.filter(({ caller, sentAt }) => caller === kind && sentAt >= halfAt);
    const good = some.filter((request) => !isBad(request, known)).length;
    return some.length >= LEAST_REQUESTS && shareInterval(good, some.length).to < SHARE;
  };
  if (fails('Under')) return 'fails';
  return fails('Over') ? 'errs' : undefined;
}

/** Neither an admission nor a rejection of the caller over its limit is a failure; a limit may be replenished. */
function isBad({ caller, outcome }: CallerRequest, { oneLimit = false }: KnownOfRecovery): boolean {
  return outcome === 'Rejected' ? caller === 'Under' && !oneLimit : outcome !== 'Admitted';
}

/** Whether it was admitted to the caller over its limit, no later than the last over-admission. */
function isBeyond(request: CallerRequest, { lastBeyondAt }: KnownOfRecovery): boolean {
  return request.caller === 'Over' && (admittedAt(request) ?? Infinity) <= (lastBeyondAt ?? -Infinity);
}

/** Whether callers were treated as before; undefined while the fault was not seen to its end. */
export const recoveryIn = once((seen: OutageSeen) => {
  const view = viewOf(seen);
  if (!view?.isSeen) return undefined;
  return recoveryOf(view.settings.pods, view.requests, view.span, {
    settleMs: view.setup.settleMs,
    lastBeyondAt: view.over.after.lastAt,
    oneLimit: view.setup.isOneCaller,
  });
});

/** The finding: every pod treats callers as before within the time to settle. */
export const recovery = {
  ...outageFold,
  name: 'recovery',
  finding: inFault(({ over: { after: beyond }, phases, setup, span }, seen) => {
    const found = recoveryIn(seen);
    if (!found) return NOTHING;
    const { isOneCaller, settleMs } = setup;
    const [within, over] = [countsOf(phases.after, 'Under'), countsOf(phases.after, 'Over')];
    const isBroken = found.code === 'NotRecovered';
    return {
      ...(isBroken && { isBroken, brokenAt: span.endedAt, summary: code('NoRecovery', { settleMs }) }),
      measures: timeToRecovery(found, settleMs),
      missing: [found.code !== 'Recovered' && !isBroken && found],
      evidence: [
        code('AfterFault', { within, over, more: beyond.more, isOneCaller }),
        isBroken && { ...found, settleMs, restarted: restartedOf(seen) },
      ],
    };
  }),
};

function timeToRecovery(found: ReturnType<typeof recoveryOf>, bound: number): Some<Measure> {
  if (found.code !== 'Recovered' && found.code !== 'NotRecovered') return [];
  const figured = { name: 'timeToRecovery', unit: 'ms', bound };
  if (found.afterMs !== undefined) return [{ ...figured, value: Math.round(found.afterMs) }];
  const watchedMs = found.code === 'NotRecovered' ? found.watchedMs : 0;
  return [{ ...figured, value: Math.round(watchedMs), atLeast: true }];
}

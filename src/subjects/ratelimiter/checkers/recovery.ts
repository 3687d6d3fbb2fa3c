/**
 * Recovery: whether every pod treats callers as before once the fault has ended, and how soon: it admits those under
 * their limit, and rejects the one over its limit. Pure.
 */
import { counted, formatDuration, type Measure, span } from '../../../api/index.ts';
import { listed } from '../../targets/refusal.ts';
import type { CallerKind, CallerRequest } from '../history/events.ts';
import { LEAST_REQUESTS, SHARE } from './behaviour.ts';
import type { Finding } from './finding.ts';
import type { OverAfter } from './over-admission.ts';
import { admittedAt, countsOf, countsText, type Phases, type Span, totalOf } from './requests.ts';
import { shareInterval } from './share-interval.ts';

/** What a pod still does when the time to recover has ended. */
const LAPSES = {
  admits: 'admitted the caller over its limit',
  fails: 'rejected or failed callers under their limit',
  errs: 'had an error or no answer for the caller over its limit',
} as const;
type Lapse = keyof typeof LAPSES;

export type Recovery =
  /** Every pod has recovered, `afterMs` after the end of the fault and within the bound. */
  | { readonly state: 'Recovered'; readonly afterMs: number }
  | {
      readonly state: 'NotRecovered';
      /** Pods that had not recovered when the bound was reached. */
      readonly lapses: ReadonlyMap<string, Lapse>;
      /** When all pods had recovered after all; undefined: not as long as requests were sent. */
      readonly afterMs?: number | undefined;
      /** From the end of the fault to the last request. */
      readonly watchedMs: number;
    }
  /** Neither is shown. */
  | { readonly state: 'Unclear'; readonly why: string };

export interface KnownOfRecovery {
  /** How long after the fault pods may take to recover; milliseconds. */
  readonly settleMs: number;
  /** The last over-admission of the caller over its limit since the fault; undefined: there was none. */
  readonly lastBeyondAt?: number | undefined;
  /**
   * All requests are of one caller, and the rest of its limit is unknown: a rejection is as healthy as an admission.
   */
  readonly oneLimit?: boolean;
  /** Pods that were started in the fault. */
  readonly restarted?: ReadonlySet<string>;
}

/** Whether these pods recovered after the fault, by requests in any order. */
export function recoveryOf(
  pods: readonly string[],
  requests: readonly CallerRequest[],
  { endedAt }: Span,
  known: KnownOfRecovery,
): Recovery {
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
  if (afterMs !== undefined && afterMs <= known.settleMs) return { state: 'Recovered', afterMs };
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
  if (lapses.size > 0) return { state: 'NotRecovered', lapses, afterMs, watchedMs: lastAt - endedAt };
  return { state: 'Unclear', why: whyUnclear(found, afterMs) };
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

function whyUnclear(
  found: readonly { readonly pod: string; readonly own: readonly CallerRequest[] }[],
  afterMs: number | undefined,
): string {
  const lengthen = 'lengthen storeOutage.settle';
  if (afterMs !== undefined) {
    return `callers recovered ${span(afterMs)} after the fault, too close to the end of settle: ${lengthen}`;
  }
  const over = found.flatMap(({ own }) => own.filter(({ caller }) => caller === 'Over'));
  if (over.some(({ outcome }) => outcome === 'Rejected')) {
    return `a few requests failed or were admitted over the limit until the end of the watch, so recovery is not shown: ${lengthen}`;
  }
  return `after the fault no pod rejected any of ${counted(over.length, 'request')} of the caller over its limit, too few to show whether the limit is enforced again: ${lengthen}, or raise storeOutage.requestsPerSecond`;
}

/** The finding: every pod treats callers as before within `settleMs` after the fault. */
export function checkRecovery(
  recovery: Recovery,
  { after }: Phases,
  { endedAt }: Span,
  { more }: OverAfter,
  { oneLimit = false, restarted = new Set(), settleMs }: KnownOfRecovery,
): Finding {
  const isBroken = recovery.state === 'NotRecovered';
  return {
    valid: isBroken ? false : recovery.state === 'Unclear' ? 'unknown' : true,
    ...(isBroken && { brokenAt: endedAt, summary: `no recovery in ${formatDuration(settleMs)}` }),
    measures: timeToRecovery(recovery, settleMs),
    missing: recovery.state === 'Unclear' ? [recovery.why] : [],
    evidence: [
      afterText(after, more, oneLimit),
      ...(isBroken ? [lapsesText(recovery, settleMs, restarted)] : []),
    ],
  };
}

function timeToRecovery(recovery: Recovery, bound: number): Measure[] {
  if (recovery.state === 'Unclear') return [];
  const figure = { name: 'timeToRecovery', unit: 'ms', bound };
  if (recovery.afterMs !== undefined) return [{ ...figure, value: Math.round(recovery.afterMs) }];
  return recovery.state === 'NotRecovered'
    ? [{ ...figure, value: Math.round(recovery.watchedMs), atLeast: true }]
    : [];
}

function afterText(after: readonly CallerRequest[], more: number, oneLimit: boolean): string {
  const [within, beyond] = [countsOf(after, 'Under'), countsOf(after, 'Over')];
  const tooMuch = more > 0 ? `, ${more} more than the limit allows` : '';
  return oneLimit
    ? `After the fault the same caller got ${countsText(totalOf([within, beyond]))}${tooMuch}`
    : `After the fault callers under their limit got ${countsText(within)}; the one over its limit got ${countsText(beyond)}${tooMuch}`;
}

function lapsesText(
  { afterMs, lapses, watchedMs }: Extract<Recovery, { state: 'NotRecovered' }>,
  settleMs: number,
  restarted: ReadonlySet<string>,
): string {
  const named = (pod: string): string => (restarted.has(pod) ? `${pod} (restarted during the fault)` : pod);
  const pods = Map.groupBy(lapses, ([, lapse]) => lapse);
  const which = [...pods].map(
    ([lapse, of]) => `${listed(of.map(([pod]) => named(pod)))} still ${LAPSES[lapse]}`,
  );
  const then =
    afterMs === undefined
      ? `none was seen in the ${span(watchedMs)} that requests were sent`
      : `it took ${span(afterMs)}`;
  return `No recovery within ${formatDuration(settleMs)}: ${which.join('; ')}; ${then}`;
}

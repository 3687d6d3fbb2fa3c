/** Recovery: how soon callers are admitted again as before once the fault has ended. Pure. */
import { formatDuration, type Measure } from '../../../api/index.ts';
import { listed } from '../../targets/refusal.ts';
import type { CallerRequest } from '../history/events.ts';
import { LEAST_REQUESTS, SHARE } from './behaviour.ts';
import type { Finding } from './finding.ts';
import type { OverAfter } from './over-admission.ts';
import { countsOf, countsText, type Phases, type Span, totalOf } from './requests.ts';
import { shareInterval } from './share-interval.ts';

/** Whether callers are admitted again as before, within the time that the run watched after the fault. */
export type Recovery =
  | { readonly state: 'Recovered'; readonly afterMs: number }
  /** Pods that still failed callers, or admitted too much, in the second half of that time. */
  | { readonly state: 'NotRecovered'; readonly pods: readonly string[]; readonly watchedMs: number }
  /** A few requests failed until the end, possibly by chance. */
  | { readonly state: 'Unclear' };

interface KnownOfLimit {
  /** The last over-admission of the caller over its limit since the fault; undefined: there was none. */
  readonly lastBeyondAt?: number | undefined;
  /**
   * All requests are of one caller, and the rest of its limit is unknown: a rejection is as healthy as an admission.
   */
  readonly oneLimit?: boolean;
}

/** Whether callers recovered after the fault; undefined without a request since then. */
export function recoveryOf(
  pods: readonly string[],
  requests: readonly CallerRequest[],
  span: Span,
  known: KnownOfLimit = {},
): Recovery | undefined {
  const afterMs = recoveredAfter(pods, requests, span, known);
  if (afterMs !== undefined) return { state: 'Recovered', afterMs };
  const { lastBeyondAt, oneLimit = false } = known;
  const since = sinceFault(requests, span, oneLimit);
  const lastAt = since.at(-1)?.sentAt;
  if (lastAt === undefined) return undefined;
  const half = since.filter(({ sentAt }) => sentAt >= (span.endedAt + lastAt) / 2);
  const fails = (own: readonly CallerRequest[]): boolean => {
    const good = own.filter((request) => !isBad(request, oneLimit)).length;
    return own.length >= LEAST_REQUESTS && shareInterval(good, own.length).to < SHARE;
  };
  const ofPod = Map.groupBy(half, ({ pod }) => pod);
  const failing = pods.filter((pod) => fails(ofPod.get(pod) ?? []));
  const watchedMs = lastAt - span.endedAt;
  if (failing.length > 0) return { state: 'NotRecovered', pods: failing, watchedMs };
  // No request was rejected since the last over-admission.
  return lastBeyondAt === undefined ? { state: 'Unclear' } : { state: 'NotRecovered', pods, watchedMs };
}

function isBad({ outcome }: CallerRequest, oneLimit: boolean): boolean {
  return outcome !== 'Admitted' && !(oneLimit && outcome === 'Rejected');
}

/** Requests that should be admitted, in sending order. */
function sinceFault(
  requests: readonly CallerRequest[],
  { endedAt }: Span,
  oneLimit: boolean,
): CallerRequest[] {
  return requests
    .filter(
      ({ caller, sentAt }) => (oneLimit ? caller !== 'Control' : caller === 'Under') && sentAt >= endedAt,
    )
    .sort((a, b) => a.sentAt - b.sentAt);
}

/**
 * Milliseconds from the end of the fault until every pod admitted every caller under its limit, up to the last request
 * that was sent, and the caller over its limit was admitted no more than that; undefined if that has not happened.
 */
function recoveredAfter(
  pods: readonly string[],
  requests: readonly CallerRequest[],
  span: Span,
  { lastBeyondAt, oneLimit = false }: KnownOfLimit,
): number | undefined {
  const { endedAt } = span;
  const asked = sinceFault(requests, span, oneLimit);
  const well = asked.slice(asked.findLastIndex((request) => isBad(request, oneLimit)) + 1);
  const firsts = pods.map((pod) => well.find((request) => request.pod === pod));
  if (firsts.length === 0 || firsts.includes(undefined)) return undefined;
  // When the last pod was first seen healthy.
  const withinAfter = Math.max(...firsts.map((request) => (request?.endedAt ?? 0) - endedAt));
  if (lastBeyondAt === undefined) return withinAfter;
  // Each pod may switch modes separately, so each has to reject again.
  const rejected = pods.map((pod) =>
    requests.find(
      (request) =>
        request.pod === pod &&
        request.caller === 'Over' &&
        request.outcome === 'Rejected' &&
        request.sentAt >= lastBeyondAt,
    ),
  );
  if (rejected.includes(undefined)) return undefined;
  const beyondAfter = rejected.map((request) => (request?.endedAt ?? 0) - endedAt);
  return Math.max(withinAfter, ...beyondAfter);
}

/** The finding: callers are admitted again as before, within the time that the run watched after the fault. */
export function checkRecovery(
  recovery: Recovery | undefined,
  { after }: Phases,
  { endedAt }: Span,
  { more }: OverAfter,
  oneLimit: boolean,
): Finding {
  const measures: Measure[] =
    recovery?.state === 'NotRecovered'
      ? [{ name: 'timeToRecovery', value: Math.round(recovery.watchedMs), unit: 'ms', atLeast: true }]
      : recovery?.state === 'Recovered'
        ? [{ name: 'timeToRecovery', value: Math.round(recovery.afterMs), unit: 'ms' }]
        : [];
  const isBroken = recovery?.state === 'NotRecovered';
  return {
    valid: isBroken ? false : recovery?.state === 'Unclear' ? 'unknown' : true,
    ...(isBroken && { brokenAt: endedAt, summary: 'not recovered' }),
    measures,
    missing:
      recovery?.state === 'Unclear'
        ? [
            'a few requests failed until the end of the watch, so recovery is not shown: lengthen storeOutage.settle',
          ]
        : [],
    evidence: [afterText(after, more, recovery, oneLimit)],
  };
}

function afterText(
  after: readonly CallerRequest[],
  more: number,
  recovery: Recovery | undefined,
  oneLimit: boolean,
): string {
  const [within, beyond] = [countsOf(after, 'Under'), countsOf(after, 'Over')];
  const tooMuch = more > 0 ? `, ${more} more than the limit allows` : '';
  const failed =
    recovery?.state === 'NotRecovered'
      ? `. Not recovered within ${formatDuration(Math.round(recovery.watchedMs))} at ${listed([...recovery.pods])}; the run watched no longer`
      : '';
  if (oneLimit) {
    return `After the pause the same caller got ${countsText(totalOf([within, beyond]))}${tooMuch}${failed}`;
  }
  const other = more > 0 ? `; the one over its limit got ${countsText(beyond)}${tooMuch}` : '';
  return `After the pause callers under their limit got ${countsText(within)}${other}${failed}`;
}

/** How soon callers are admitted again as before, and how long they waited for answers. Pure. */
import type { CallerRequest } from '../../interfaces/caller-request.ts';
import { shareInterval } from '../share-interval.ts';
import { LEAST_ASKED, type OutageSpan, SHARE } from './behaviour.ts';

export interface Latency {
  readonly p50Ms: number;
  readonly maxMs: number;
  readonly answers: number;
}

/** How long those answers to `requests` took that came in time; undefined where none came. */
export function latencyOf(requests: readonly CallerRequest[]): Latency | undefined {
  const answered = requests.filter(({ caller, got }) => got !== 'Unanswered' && caller !== 'Control');
  // Numbers alone are sorted ten times as fast as by a function, and there may be a hundred thousand.
  const times = Float64Array.from(answered, ({ endedAt, sentAt }) => endedAt - sentAt).sort();
  if (times.length === 0) return undefined;
  return {
    p50Ms: times[Math.floor((times.length - 1) / 2)] ?? 0,
    maxMs: times.at(-1) ?? 0,
    answers: times.length,
  };
}

/** Whether callers are admitted again as before, within the time that the run watched after the fault. */
export type Recovery =
  | { readonly state: 'Recovered'; readonly afterMs: number }
  /** Pods that still failed callers, or admitted too much, in the second half of that time. */
  | { readonly state: 'NotRecovered'; readonly nodes: readonly string[]; readonly watchedMs: number }
  /** A few requests failed until the end, and chance may have been it. */
  | { readonly state: 'Unclear' };

interface KnownOfLimit {
  /** When the caller over its limit was admitted too often for the last time since the fault; undefined: it was not. */
  readonly lastBeyondAt?: number | undefined;
  /** All requests are of one caller, and what is left of its limit is not known: a rejection is as good as an admission. */
  readonly oneLimit?: boolean;
}

/** Whether callers recovered after the fault. Undefined with no request since then. */
export function recoveryOf(
  nodes: readonly string[],
  requests: readonly CallerRequest[],
  span: OutageSpan,
  known: KnownOfLimit = {},
): Recovery | undefined {
  const afterMs = recoveredAfter(nodes, requests, span, known);
  if (afterMs !== undefined) return { state: 'Recovered', afterMs };
  const { lastBeyondAt, oneLimit = false } = known;
  const since = sinceFault(requests, span, oneLimit);
  const lastAt = since.at(-1)?.sentAt;
  if (lastAt === undefined) return undefined;
  const half = since.filter(({ sentAt }) => sentAt >= (span.endedAt + lastAt) / 2);
  const fails = (own: readonly CallerRequest[]): boolean => {
    const good = own.filter((request) => !isBad(request, oneLimit)).length;
    return own.length >= LEAST_ASKED && shareInterval(good, own.length).to < SHARE;
  };
  const ofNode = Map.groupBy(half, ({ node }) => node);
  const failing = nodes.filter((node) => fails(ofNode.get(node) ?? []));
  const watchedMs = lastAt - span.endedAt;
  if (failing.length > 0) return { state: 'NotRecovered', nodes: failing, watchedMs };
  // Nothing was rejected since the caller over its limit was admitted too often.
  return lastBeyondAt === undefined ? { state: 'Unclear' } : { state: 'NotRecovered', nodes, watchedMs };
}

function isBad({ got }: CallerRequest, oneLimit: boolean): boolean {
  return got !== 'Admitted' && !(oneLimit && got === 'Denied');
}

/** Requests that should be admitted, in the order in which they were sent. */
function sinceFault(
  requests: readonly CallerRequest[],
  { endedAt }: OutageSpan,
  oneLimit: boolean,
): CallerRequest[] {
  return requests
    .filter(
      ({ caller, sentAt }) => (oneLimit ? caller !== 'Control' : caller === 'Within') && sentAt >= endedAt,
    )
    .sort((a, b) => a.sentAt - b.sentAt);
}

/**
 * Milliseconds from the end of the fault until every caller under its limit was admitted by every pod, up to the last
 * request that was sent, and the one over its limit got no more than that; undefined while that is not so.
 */
function recoveredAfter(
  nodes: readonly string[],
  requests: readonly CallerRequest[],
  span: OutageSpan,
  { lastBeyondAt, oneLimit = false }: KnownOfLimit,
): number | undefined {
  const { endedAt } = span;
  const asked = sinceFault(requests, span, oneLimit);
  const well = asked.slice(asked.findLastIndex((request) => isBad(request, oneLimit)) + 1);
  const firsts = nodes.map((node) => well.find((request) => request.node === node));
  if (firsts.length === 0 || firsts.includes(undefined)) return undefined;
  // When the last node was seen to be well.
  const withinAfter = Math.max(...firsts.map((request) => (request?.endedAt ?? 0) - endedAt));
  if (lastBeyondAt === undefined) return withinAfter;
  // Each pod may have a switch of its own, so each has to reject again.
  const rejected = nodes.map((node) =>
    requests.find(
      (request) =>
        request.node === node &&
        request.caller === 'Beyond' &&
        request.got === 'Denied' &&
        request.sentAt >= lastBeyondAt,
    ),
  );
  if (rejected.includes(undefined)) return undefined;
  const beyondAfter = rejected.map((request) => (request?.endedAt ?? 0) - endedAt);
  return Math.max(withinAfter, ...beyondAfter);
}

/** How soon callers are served again as before, and how long they waited for answers. Pure. */
import type { CallerRequest } from '../../interfaces/caller-request.ts';
import type { OutageSpan } from './behaviour.ts';

export interface Latency {
  readonly p50Ms: number;
  readonly maxMs: number;
  readonly answers: number;
}

/** How long those answers to `requests` took that came in time; undefined where none came. */
export function latencyOf(requests: readonly CallerRequest[]): Latency | undefined {
  const times = requests
    .filter(({ got }) => got !== 'Unanswered')
    .map(({ endedAt, sentAt }) => endedAt - sentAt)
    .sort((a, b) => a - b);
  if (times.length === 0) return undefined;
  return {
    p50Ms: times[Math.floor((times.length - 1) / 2)] ?? 0,
    maxMs: times.at(-1) ?? 0,
    answers: times.length,
  };
}

/**
 * Milliseconds from the end of the fault until every caller within its limit was let through by every node, up
 * to the last one that was sent, and the one beyond it got no more than that; undefined while that is not so.
 * `lastBeyondAt` is when that one was let through too often for the last time since then; undefined: it was not.
 * `oneLimit`: all requests are of one caller, of whose limit nobody knows what is left, so a denial is as good as a yes.
 */
export function wellAgainAfter(
  nodes: readonly string[],
  requests: readonly CallerRequest[],
  { endedAt }: OutageSpan,
  {
    lastBeyondAt,
    oneLimit = false,
  }: { readonly lastBeyondAt?: number | undefined; readonly oneLimit?: boolean } = {},
): number | undefined {
  const asked = requests
    .filter(({ caller, sentAt }) => (oneLimit || caller === 'Within') && sentAt >= endedAt)
    .sort((a, b) => a.sentAt - b.sentAt);
  const lastBad = asked.findLastIndex(({ got }) => got !== 'Admitted' && !(oneLimit && got === 'Denied'));
  const well = asked.slice(lastBad + 1);
  const firsts = nodes.map((node) => well.find((request) => request.node === node));
  if (firsts.length === 0 || firsts.includes(undefined)) return undefined;
  // When the last node was seen to be well.
  const withinAfter = Math.max(...firsts.map((request) => (request?.endedAt ?? 0) - endedAt));
  if (lastBeyondAt === undefined) return withinAfter;
  const denied = requests
    .filter(({ caller, got, sentAt }) => caller === 'Beyond' && got === 'Denied' && sentAt >= lastBeyondAt)
    .map((request) => request.endedAt - endedAt);
  return denied.length > 0 ? Math.max(withinAfter, Math.min(...denied)) : undefined;
}

/**
 * Views of the requests of a history that several checkers share: which callers sent them, when, and their outcomes.
 * Pure.
 */
import { type CallerRequest, OUTCOMES, type RequestOutcome } from '../history/events.ts';

/** When writes stalled, in milliseconds since the epoch. */
export interface Span {
  readonly startedAt: number;
  readonly endedAt: number;
}

/** How many requests had each outcome. */
export type Counts = Readonly<Record<RequestOutcome, number>>;

export function countsOf(requests: readonly Pick<CallerRequest, 'outcome'>[]): Counts {
  const counts = { Admitted: 0, Rejected: 0, Error: 0, Timeout: 0 };
  for (const { outcome } of requests) counts[outcome] += 1;
  return counts;
}

/** How many there are of each pod. @param before counts to begin with */
export function countByPod(
  requests: readonly Pick<CallerRequest, 'pod'>[],
  before: Readonly<Record<string, number>> = {},
): Map<string, number> {
  const counts = new Map(Object.entries(before));
  for (const { pod } of requests) counts.set(pod, (counts.get(pod) ?? 0) + 1);
  return counts;
}

/** The sum of counts, outcome by outcome. */
export function totalOf(all: readonly Counts[]): Counts {
  const total = { Admitted: 0, Rejected: 0, Error: 0, Timeout: 0 };
  for (const counts of all) for (const name of OUTCOMES) total[name] += counts[name];
  return total;
}

/** The number of requests. */
export function sizeOf(counts: Counts): number {
  return OUTCOMES.reduce((sum, outcome) => sum + counts[outcome], 0);
}

/** When a request was admitted, in time or late; undefined: it was not, as far as known. */
export function admittedAt({ endedAt, outcome, late }: CallerRequest): number | undefined {
  if (outcome === 'Admitted') return endedAt;
  return late?.outcome === 'Admitted' ? late.at : undefined;
}

/** When the first of them was sent; infinite if there is none. */
export function firstOf(requests: readonly CallerRequest[]): number {
  return requests.reduce((first, { sentAt }) => Math.min(first, sentAt), Number.POSITIVE_INFINITY);
}

/**
 * How much later than its caller's patience an answer may be read and still count as in time, in milliseconds: timers
 * and sockets are handled in turns. A longer delay was caused by the operator itself.
 */
const READ_WITHIN_MS = 50;

/**
 * The requests that show the time before a fault, the fault, and the time after it. A request that belongs to two phases, or to none for certain, is left
 * out.
 * @param callerTimeoutMs how long a caller waits
 */
export function phasesOf(
  requests: readonly CallerRequest[],
  { endedAt: end, startedAt }: Span,
  callerTimeoutMs: number,
) {
  const sent = requests.filter(({ sentAt }) => sentAt >= startedAt && sentAt + callerTimeoutMs <= end);
  // A request that was given up, however late, had no answer by then.
  const isTimed = ({ endedAt, outcome, sentAt }: CallerRequest): boolean =>
    outcome === 'Timeout' || (endedAt <= end && endedAt - sentAt <= callerTimeoutMs + READ_WITHIN_MS);
  return {
    /** Answered when the fault began. */
    before: requests.filter(({ endedAt }) => endedAt <= startedAt),
    /** Answered in time or given up before its end: so no answer is due to the end. */
    during: sent.filter(isTimed),
    /**
     * Read so late that the answer may have been there in time, or may be due to the end of the fault: the operator
     * process was stalled.
     */
    untimed: sent.filter((request) => !isTimed(request)),
    /** Sent after its end. */
    after: requests.filter(({ sentAt }) => sentAt >= end),
  };
}

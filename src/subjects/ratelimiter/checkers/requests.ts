/**
 * Views of the requests of a history that several checkers share: which callers sent them, when, and their outcomes.
 * Pure.
 */
import type { CallerRequest, RequestOutcome } from '../history/events.ts';
import { owedOf } from '../limits/least-owed.ts';
import type { RateLimit } from '../limits/rate-limit.ts';

/** What is known of the callers before their requests are judged. */
export interface CallerSettings {
  /** Names of the pods. */
  readonly pods: readonly string[];
  readonly limit: RateLimit;
  /** How long a caller waits; milliseconds. */
  readonly callerTimeoutMs: number;
  /** Before that no key was used, or the one limit was replenished then; milliseconds since the epoch. */
  readonly preparedAt: number;
  readonly clockWithinMs?: number;
  /** Whether one caller makes all requests. */
  readonly isOneCaller: boolean;
  /** The caller that exhausted its limit before the fault. */
  readonly overKey: string;
  /** Until when there was certainly no fault; default: its start. */
  readonly calmUntil?: number | undefined;
  /** Whether every request that was sent is recorded; default: yes. */
  readonly isGapless?: boolean;
  /** When Redis had lost the counts of callers; left out: it kept them. */
  readonly countsLostAt?: number | undefined;
  /** Whether two servers may have counted at the same time, and the counts of one are lost. */
  readonly countsForked?: boolean;
}

/** When writes stalled, in milliseconds since the epoch. */
export interface Span {
  readonly startedAt: number;
  readonly endedAt: number;
}

/** How many requests had each outcome. */
export type Counts = Readonly<Record<RequestOutcome, number>>;

const OUTCOMES = ['Admitted', 'Rejected', 'Error', 'Timeout'] as const satisfies readonly RequestOutcome[];

export function countsOf(requests: readonly CallerRequest[]): Counts {
  const counts = { Admitted: 0, Rejected: 0, Error: 0, Timeout: 0 };
  for (const { outcome } of requests) counts[outcome] += 1;
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
 * The requests that the limiter still owed their callers when they sent them.
 * @param requests all of a population
 * @param settledAt until when a request may be counted of which the caller got no admission and no rejection
 */
export function owedIn(
  { limit }: Pick<CallerSettings, 'limit'>,
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
  return new Set([...byKey.values()].flatMap((own) => [...owedOf(limit, own)].map(({ request }) => request)));
}

/**
 * How much later than its caller's patience an answer may be read and still count as in time, in milliseconds: timers
 * and sockets are handled in turns. A longer delay was caused by the operator itself.
 */
const READ_WITHIN_MS = 50;

/** The requests that show the time before a fault, the fault, and the time after it. */
export interface Phases {
  /** Answered when the fault began. */
  readonly before: readonly CallerRequest[];
  /** Sent in the fault, and answered in time or given up before its end: so no answer is due to the end. */
  readonly during: readonly CallerRequest[];
  /**
   * Sent in the fault, and read so late that the answer may have been there in time, or may be due to the end of the
   * fault: the operator process was stalled.
   */
  readonly untimed: readonly CallerRequest[];
  /** Sent after its end. */
  readonly after: readonly CallerRequest[];
}

/**
 * `callerTimeoutMs`: how long a caller waits. A request that belongs to two phases, or to none for certain, is left
 * out.
 */
export function phasesOf(
  requests: readonly CallerRequest[],
  { endedAt: end, startedAt }: Span,
  callerTimeoutMs: number,
): Phases {
  const sent = requests.filter(({ sentAt }) => sentAt >= startedAt && sentAt + callerTimeoutMs <= end);
  // A request that was given up, however late, had no answer by then.
  const isTimed = ({ endedAt, outcome, sentAt }: CallerRequest): boolean =>
    outcome === 'Timeout' || (endedAt <= end && endedAt - sentAt <= callerTimeoutMs + READ_WITHIN_MS);
  return {
    before: requests.filter(({ endedAt }) => endedAt <= startedAt),
    during: sent.filter(isTimed),
    untimed: sent.filter((request) => !isTimed(request)),
    after: requests.filter(({ sentAt }) => sentAt >= end),
  };
}

/** A burst of one caller as its sender saw it. Pure. */
import type { CallerRequest, EventOf, RequestOutcome } from '../history/events.ts';

export interface BurstResult {
  readonly requests: number;
  readonly admitted: number;
  readonly rejected: number;
  /** Requests whose answer was neither an admission nor a rejection, or that were not sent. */
  readonly errors: number;
  /** Requests without an answer in time: they may have been admitted or not. */
  readonly timeouts: number;
  /** The message of the first request that failed or had no answer. */
  readonly firstError?: string;
  /** When the first request was written, and when the last answer arrived. */
  readonly startedAt: number;
  readonly endedAt: number;
  /** At most from writing the first request to writing the last; milliseconds. */
  readonly sendSpanMs: number;
  /** Requests by pod, also those that were not sent. */
  readonly sent: ReadonlyMap<string, number>;
  readonly admittedBy: ReadonlyMap<string, number>;
  /** Arrival of each admission, sorted. */
  readonly admittedAt: readonly number[];
  /** Each request that was sent. */
  readonly outcomes: readonly BurstOutcome[];
}

/** One request of a burst; moments in milliseconds since the epoch. */
export type BurstOutcome = Pick<CallerRequest, 'endedAt' | 'outcome' | 'pod' | 'sentAt'>;

/** @param sent the requests of the burst that were sent */
export function burstResultOf(
  { endedAt, firstError, notSent, sendSpanMs, startedAt }: EventOf<'burst'>,
  sent: readonly CallerRequest[],
): BurstResult {
  // If a connection broke, it is unknown whether the pod admitted the request.
  const outcomes = sent.map(
    (request): BurstOutcome => (request.cause === 'Reset' ? { ...request, outcome: 'Timeout' } : request),
  );
  const by = new Map(Object.entries(notSent));
  const unsent = [...by.values()].reduce((sum, count) => sum + count, 0);
  const counts: Record<RequestOutcome, number> = { Admitted: 0, Rejected: 0, Error: 0, Timeout: 0 };
  const admittedBy = new Map<string, number>();
  const admittedAt: number[] = [];
  for (const { endedAt: at, outcome, pod } of outcomes) {
    by.set(pod, (by.get(pod) ?? 0) + 1);
    counts[outcome] += 1;
    if (outcome !== 'Admitted') continue;
    admittedAt.push(at);
    admittedBy.set(pod, (admittedBy.get(pod) ?? 0) + 1);
  }
  return {
    requests: outcomes.length + unsent,
    admitted: counts.Admitted,
    rejected: counts.Rejected,
    errors: counts.Error + unsent,
    timeouts: counts.Timeout,
    ...(firstError !== undefined && { firstError }),
    startedAt,
    endedAt,
    sendSpanMs,
    sent: by,
    admittedBy,
    admittedAt: admittedAt.sort((a, b) => a - b),
    outcomes,
  };
}

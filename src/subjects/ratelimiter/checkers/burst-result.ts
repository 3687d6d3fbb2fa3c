/** A burst of one caller as its sender saw it. Pure. */
import type { CallerRequest, EventOf, RequestOutcome } from '../history/events.ts';

export interface BurstResult {
  readonly requests: number;
  /** Answers that admitted a request. */
  readonly allowed: number;
  readonly denied: number;
  /** Requests that were answered with neither, or not sent. */
  readonly errors: number;
  /** Requests without an answer in time: may have been admitted or not. */
  readonly unanswered: number;
  /** The message of the first error or unanswered request. */
  readonly firstError?: string;
  /** When the first request was written, and when the last answer arrived. */
  readonly startedAt: number;
  readonly endedAt: number;
  /** From writing the first request to writing the last, at most; milliseconds. */
  readonly sendSpanMs: number;
  /** Requests by pod, those among them that never left. */
  readonly sent: ReadonlyMap<string, number>;
  readonly allowedBy: ReadonlyMap<string, number>;
  /** When each answer that admitted a request arrived, in order. */
  readonly allowedAt: readonly number[];
  /** Each request that left. */
  readonly outcomes: readonly BurstOutcome[];
}

/** One request of a burst; moments in milliseconds since the epoch. */
export type BurstOutcome = Pick<CallerRequest, 'endedAt' | 'outcome' | 'pod' | 'sentAt'>;

/** @param sent the requests of the burst that left */
export function burstResultOf(
  { endedAt, firstError, notSent, sendSpanMs, startedAt }: EventOf<'burst'>,
  sent: readonly CallerRequest[],
): BurstResult {
  // Of a broken connection nobody knows whether the pod admitted the request.
  const outcomes = sent.map(
    (request): BurstOutcome => (request.cause === 'Reset' ? { ...request, outcome: 'Timeout' } : request),
  );
  const by = new Map(Object.entries(notSent));
  const unsent = [...by.values()].reduce((sum, count) => sum + count, 0);
  const counts: Record<RequestOutcome, number> = { Admitted: 0, Rejected: 0, Error: 0, Timeout: 0 };
  const allowedBy = new Map<string, number>();
  const allowedAt: number[] = [];
  for (const { endedAt: at, outcome, pod: node } of outcomes) {
    by.set(node, (by.get(node) ?? 0) + 1);
    counts[outcome] += 1;
    if (outcome !== 'Admitted') continue;
    allowedAt.push(at);
    allowedBy.set(node, (allowedBy.get(node) ?? 0) + 1);
  }
  return {
    requests: outcomes.length + unsent,
    allowed: counts.Admitted,
    denied: counts.Rejected,
    errors: counts.Error + unsent,
    unanswered: counts.Timeout,
    ...(firstError !== undefined && { firstError }),
    startedAt,
    endedAt,
    sendSpanMs,
    sent: by,
    allowedBy,
    allowedAt: allowedAt.sort((a, b) => a - b),
    outcomes,
  };
}

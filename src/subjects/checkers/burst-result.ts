/** A burst of one caller as its sender saw it. Pure. */
import { sumOf } from '../history/counts.ts';
import type { CallerRequest, EventOf } from '../history/events.ts';
import { countByPod, countsOf } from './requests.ts';

/** @param sent the requests of the burst that were sent */
export function burstResultOf(
  { endedAt, firstError, notSent, sendSpanMs, startedAt }: EventOf<'burst'>,
  sent: readonly CallerRequest[],
) {
  // If a connection broke, it is unknown whether the pod admitted the request.
  const outcomes = sent.map(
    (request): CallerRequest => (request.cause === 'Reset' ? { ...request, outcome: 'Timeout' } : request),
  );
  const unsent = sumOf(Object.values(notSent));
  const admissions = outcomes.filter(({ outcome }) => outcome === 'Admitted');
  const counts = countsOf(outcomes);
  return {
    requests: outcomes.length + unsent,
    admitted: counts.Admitted,
    rejected: counts.Rejected,
    /** Requests whose answer was neither an admission nor a rejection, or that were not sent. */
    errors: counts.Error + unsent,
    /** Requests without an answer in time: they may have been admitted or not. */
    timeouts: counts.Timeout,
    /** The message of the first request that failed or had no answer. */
    ...(firstError !== undefined && { firstError }),
    /** When the first request was written, and when the last answer arrived. */
    startedAt,
    endedAt,
    /** At most from writing the first request to writing the last; milliseconds. */
    sendSpanMs,
    /** Requests by pod, also those that were not sent. */
    sent: countByPod(outcomes, notSent),
    admittedBy: countByPod(admissions),
    /** Arrival of each admission, sorted. */
    admittedAt: admissions.map(({ endedAt: at }) => at).sort((a, b) => a - b),
    /** Each request that was sent. */
    outcomes,
  };
}

export type BurstResult = Readonly<ReturnType<typeof burstResultOf>>;

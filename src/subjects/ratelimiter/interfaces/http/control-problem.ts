/** Why a limiter without a fault does not keep the limit of the spec, or did not show that it does. Pure. */
import { counted } from '../../../../api/index.ts';
import { overAdmission } from '../../limits/over-admission.ts';
import { admittedAtOnce, type RateLimit } from '../../limits/rate-limit.ts';
import { CLOCK_WITHIN_MS } from '../../limits/window-turn.ts';
import type { HttpInterfaceSpec } from '../../spec/http-schema.ts';
import { limitOf } from '../../spec/limit-of-spec.ts';
import type { Toolkit } from '../../tools.ts';
import { isConnectionFailure } from '../caller-request.ts';
import type { Exhausted } from '../exhaust-limit.ts';
import { limitField, overLimit, WHO_IS_TAKEN } from './over-limit.ts';

const HTTP_FIELD = 'rateLimiter.http';
/** The likeliest reason why the first request of a caller is rejected. */
export const ONE_CALLER = `The rate limiter may take all requests for those of one caller. Put $(key) where it takes the identity of its caller (${HTTP_FIELD}), usually in a header`;

/** Other causes that may have used up the limit of the operator's address. */
const WHO_ELSE =
  ', or the window, which may be longer. Otherwise find out who else sends requests to these pods under the address of the operator. Clients behind the same proxy or address translation, and other ChaosDemos, share that one limit';

/**
 * Why a caller that exhausted its limit, without a fault, did not get what it should; undefined: it did.
 * @param full requests that its limit admits at once
 * @param timeoutField field of the spec with the answer timeout
 * @returns a LimitNotKeptError if a limiter with a limit of its own admitted too much, see {@link overLimit}
 */
export function controlProblem(
  { limiter }: Pick<Toolkit, 'limiter'>,
  full: number,
  control: Exhausted,
  timeoutField: string,
): Error | undefined {
  return failureIn(control, full, timeoutField) ?? limitProblem(limitOf(limiter), limiter.http, control);
}

function failureIn({ failure, requests }: Exhausted, full: number, timeoutField: string): Error | undefined {
  if (!failure) return undefined;
  const { name, problem, request } = failure;
  const admitted = countAdmitted(requests);
  const isAnswer = request.outcome === 'Error' && !isConnectionFailure(request);
  const remedy =
    request.outcome === 'Timeout'
      ? `See in the logs why it waits, or raise ${timeoutField}`
      : !isAnswer
        ? 'See in the logs why it failed'
        : admitted < full
          ? `See path, admittedStatuses and rejectedStatuses in ${HTTP_FIELD}`
          : `If your rate limiter rejects in this way, name the status in ${HTTP_FIELD}.rejectedStatuses; else see in the logs why it failed`;
  return new Error(
    `without any fault ${name} to ${request.pod} failed after ${admitted} of ${full} were admitted: ${problem}. An error or no answer is not a rejection. ${remedy}`,
  );
}

function countAdmitted(requests: Exhausted['requests']): number {
  return requests.filter(({ outcome }) => outcome === 'Admitted').length;
}

/** For a limiter whose limit is in the spec. */
export function limitProblem(
  limit: RateLimit,
  http: Pick<HttpInterfaceSpec, 'admittedStatuses' | 'identity'>,
  { exhausted, requests }: Exhausted,
): Error | undefined {
  const admitted = requests.filter(({ outcome }) => outcome === 'Admitted');
  const { bound, excess } = overAdmission(
    limit,
    admitted.map(({ endedAt, sentAt }) => ({ sentAt, answeredAt: endedAt })),
    { firstSentAt: requests[0]?.sentAt ?? 0, clockWithinMs: CLOCK_WITHIN_MS },
  );
  const full = admittedAtOnce(limit);
  const { identity } = http;
  if (excess > 0) {
    const options = { limit, bound, identity, admittedStatuses: http.admittedStatuses };
    return overLimit(requests, options);
  }
  if (!exhausted) {
    return new Error(
      `without any fault one caller was admitted ${admitted.length} of ${counted(requests.length, 'time')} and never rejected by every pod in a row, since its limit is refilled as fast as Setup sends requests: give the rate limiter a slower refill for the test`,
    );
  }
  return admitted.length < full ? new Error(tooEarly(admitted.length, limit, identity)) : undefined;
}

/** Why a new caller was rejected before its limit, the likelier reason first. */
function tooEarly(admitted: number, limit: RateLimit, identity: HttpInterfaceSpec['identity']): string {
  const figure = `without any fault one caller was rejected after ${counted(admitted, 'request')}, and the limit allows ${admittedAtOnce(limit)}`;
  const field = limitField(limit);
  if (identity === 'SourceAddress') return `${figure}. Correct ${field}${WHO_ELSE}`;
  return admitted === 0
    ? `${figure}. ${ONE_CALLER}. Otherwise correct ${field}`
    : `${figure}. Correct ${field}, or check ${WHO_IS_TAKEN.Key}`;
}

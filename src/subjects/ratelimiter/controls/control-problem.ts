/**
 * Why a limiter without a fault does not keep the limit of the spec, or did not show that it does: what was measured, and
 * the possible causes, the likelier first. Pure. The rate limiter has to keep the limit of the spec. So more than that is a
 * violation, whichever of the two has the wrong number, if a rejection shows that this caller is limited at all. Without
 * any rejection, nothing shows that the requests reached a limiter, so nothing is proven.
 */
import { listed } from '@chaosdemo/redis-faults/text';
import { counted } from '../../../api/index.ts';
import { countsOf } from '../../checkers/requests.ts';
import { InvariantBrokenError } from '../../controls/invariant-broken.ts';
import type { CallerRequest } from '../../history/events.ts';
import { isConnectionFailure } from '../../http/caller-request.ts';
import type { Exhausted } from '../interfaces/exhaust-limit.ts';
import { overAdmission } from '../limits/over-admission.ts';
import { admittedAtOnce, leastOf, type Rules } from '../limits/rate-limit.ts';
import { CLOCK_WITHIN_MS } from '../limits/window-turn.ts';
import type { HttpInterfaceSpec } from '../spec/http-schema.ts';
import { rulesOf } from '../spec/schema.ts';
import type { Toolkit } from './tools.ts';

const HTTP_FIELD = 'rateLimiter.http';
/** The likeliest reason why the first request of a caller is rejected. */
export const ONE_CALLER = `The rate limiter may take all requests for those of one caller. Put $(key) where it takes the identity of its caller (${HTTP_FIELD}), usually in a header`;

/** Other causes that may have used up the limit of the operator's address. */
const WHO_ELSE =
  ', or the window, which may be longer. Otherwise find out who else sends requests to these pods under the address of the operator. Clients behind the same proxy or address translation, and other ChaosDemos, share that one limit';

/** Statuses with which rate limiters reject. */
const USUAL_REJECTIONS: ReadonlySet<number> = new Set([429, 403, 503]);
const LOST_REDIS =
  'Check the logs of the pods for a lost connection to Redis: when they started, or by a timeout below the usual latency. Some rate limiters then admit all callers until the pod restarts';

/** What has to be true of the identity of the caller, by the kind of identity: after `check`. */
export const WHO_IS_TAKEN = {
  Key: 'that $(key) is where the rate limiter takes the identity of its caller',
  SourceAddress:
    'that all pods see the operator under one address, and count by it: a proxy or address translation may show them several',
} as const satisfies Record<HttpInterfaceSpec['identity'], string>;

/** How a limiter decides, by the spec. */
type Mapping = Pick<HttpInterfaceSpec, 'admittedStatuses' | 'identity'>;

/**
 * Why a caller that exhausted its limit, without a fault, did not get what it should; undefined: it did.
 * @param full requests that its limit admits at once
 * @param timeoutField field of the spec with the answer timeout
 * @returns an InvariantBrokenError if the limiter admitted too much, and a pod rejected any
 */
export function controlProblem(
  { limiter }: Pick<Toolkit, 'limiter'>,
  full: number,
  control: Exhausted,
  timeoutField: string,
): Error | undefined {
  const { failure, requests } = control;
  if (!failure) return limitProblem(rulesOf(limiter), limiter.http, control);
  const { name, problem, request } = failure;
  const { Admitted: admitted } = countsOf(requests);
  const isAnswer = request.outcome === 'Error' && !isConnectionFailure(request);
  const remedy = !isAnswer
    ? `See in the logs why, or raise ${timeoutField}`
    : admitted < full
      ? `See path, admittedStatuses and rejectedStatuses in ${HTTP_FIELD}`
      : `If your rate limiter rejects in this way, name the status in ${HTTP_FIELD}.rejectedStatuses; else see in the logs why it failed`;
  return new Error(
    `without any fault ${name} to ${request.pod} failed after ${admitted} of ${full} were admitted: ${problem}. An error or no response is not a rejection. ${remedy}`,
  );
}

/** The same of the limit, if no request failed. */
export function limitProblem(
  rules: Rules,
  http: Mapping,
  { exhausted, requests }: Pick<Exhausted, 'exhausted' | 'requests'>,
): Error | undefined {
  const admissions = requests.filter(({ outcome }) => outcome === 'Admitted');
  const admitted = admissions.length;
  // By the strictest rule: no window is expected to end among requests that are sent in a row.
  const strictly = { clockWithinMs: CLOCK_WITHIN_MS, boundOf: leastOf };
  const known = { firstSentAt: requests[0]?.sentAt ?? 0, ...strictly };
  const { bound, excess } = overAdmission(rules, admissions, known);
  if (excess > 0) return overLimit(requests, rules, bound, http);
  if (!exhausted) {
    return new Error(
      `without any fault one caller was admitted ${admitted} of ${counted(requests.length, 'time')} and never rejected by every pod in a row, since its limit is refilled as fast as Setup sends requests: give the rate limiter a slower refill for the test`,
    );
  }
  return admitted < admittedAtOnce(rules) ? new Error(tooEarly(admitted, rules, http.identity)) : undefined;
}

/** Why a new caller was rejected before its limit, the likelier reason first. */
function tooEarly(admitted: number, rules: Rules, identity: HttpInterfaceSpec['identity']): string {
  const figure = `without any fault one caller was rejected after ${counted(admitted, 'request')}, and the limit allows ${admittedAtOnce(rules)}`;
  const field = limitField(rules);
  if (identity === 'SourceAddress') return `${figure}. Correct ${field}${WHO_ELSE}`;
  return admitted === 0
    ? `${figure}. ${ONE_CALLER}. Otherwise correct ${field}`
    : `${figure}. Correct ${field}, or check ${WHO_IS_TAKEN.Key}`;
}

/**
 * @param requests of one caller, in sending order, one after the other
 * @param bound the most that the limit allows in that time
 */
function overLimit(
  requests: readonly CallerRequest[],
  rules: Rules,
  bound: number,
  { admittedStatuses, identity }: Mapping,
): Error {
  const { Admitted: admitted } = countsOf(requests);
  const figure = `without any fault one caller was admitted ${counted(admitted, 'time')}, and the limit allows ${bound}`;
  if (admitted < requests.length) {
    const cause = causeOf(requests, rules, bound, identity);
    return cause === undefined
      ? new Error(`${figure}. ${otherLimit(admitted, rules)}`)
      : new InvariantBrokenError(`The limit is not kept: ${figure}. ${cause}`);
  }
  const rejections = admittedStatuses.filter((status) => USUAL_REJECTIONS.has(status));
  const check =
    rejections.length > 0
      ? `${rejections.join(' and ')} in rateLimiter.http.admittedStatuses is usually a rejection: move it to rejectedStatuses. Otherwise check ${WHO_IS_TAKEN[identity]}`
      : `Check ${WHO_IS_TAKEN[identity]}. ${LOST_REDIS}`;
  return new Error(`${figure}. No pod rejected a request, so no limit was seen. ${check}`);
}

/** Why pods that share a limit do not keep it; undefined: they keep another one together. */
function causeOf(
  requests: readonly CallerRequest[],
  rules: Rules,
  bound: number,
  identity: HttpInterfaceSpec['identity'],
): string | undefined {
  const admitted = requests.filter(({ outcome }) => outcome === 'Admitted');
  const pods = [...new Set(requests.map(({ pod }) => pod))];
  const countOf = (name: string, of: readonly CallerRequest[]): number =>
    of.filter(({ pod }) => pod === name).length;
  const full = admittedAtOnce(rules);
  const correct = `${limitField(rules)} is ${admitted.length} rather than ${full}`;

  const rejecting = new Set(requests.filter(({ outcome }) => outcome === 'Rejected').map(({ pod }) => pod));
  const open = pods.filter((pod) => !rejecting.has(pod));
  if (open.length > 0) {
    return `${listed(open)} rejected none, and ${listed([...rejecting])} did. ${LOST_REDIS}`;
  }
  const alone = pods.every((pod) => countOf(pod, admitted) >= full && countOf(pod, admitted) <= bound);
  if (pods.length > 1 && alone) {
    const seen = identity === 'SourceAddress' ? ` Or check ${WHO_IS_TAKEN.SourceAddress}.` : '';
    return `That is ${pods.length} pods x ${full}, so each pod probably counts separately: in its memory, or in its own Redis.${seen} Otherwise ${correct}`;
  }
  const beyond = admitted.slice(bound);
  const over = pods.filter((pod) => countOf(pod, beyond) > 0);
  const firstRejection = requests.findIndex(({ outcome }) => outcome === 'Rejected');
  const again = requests.slice(firstRejection).some(({ outcome }) => outcome === 'Admitted');
  if (again && over.length < pods.length) {
    return `Only ${listed(over)} admitted requests beyond it (${beyond.length}), while the other pods rejected: compare its limit, image and configuration with theirs`;
  }
  if (again) {
    return `Pods admitted requests after a rejection, so the rate limiter probably decides on counts that are out of date. Otherwise ${correct}`;
  }
  return undefined;
}

/** A statement that is not true of the limiter proves nothing about it. */
function otherLimit(measured: number, rules: Rules): string {
  const isPlain = rules.every((rule) => rule.algorithm === 'TokenBucket' && rule.refillEveryMs === undefined);
  const steps = isPlain ? '. If tokens come in steps, set rateLimiter.limit.refillEvery' : '';
  return `From then on every pod rejected it, so its limit is ${measured}, and ${limitField(rules)} states ${admittedAtOnce(rules)}. Correct it, or find out why the rate limiter does not count every request${steps}`;
}

/** The field of the spec with the number of requests admitted at once. */
function limitField(rules: Rules): string {
  const isBucket = rules.every(({ algorithm }) => algorithm === 'TokenBucket');
  return `rateLimiter.limit.${isBucket ? 'burst' : 'requests'}`;
}

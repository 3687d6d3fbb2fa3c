/**
 * A caller that exhausted its limit without a fault, and was admitted more often than the spec allows: what was
 * measured, and the possible causes, the likelier first. Pure. The rate limiter has to keep the limit of the spec. So
 * more than that is a violation, whichever of the two has the wrong number, if a rejection shows that this caller is
 * limited at all. Without any rejection, nothing shows that the requests reached a limiter, so nothing is proven.
 */
import { counted } from '../../../../api/index.ts';
import type { CallerRequest } from '../../history/events.ts';
import { LimitNotKeptError } from '../../limits/over-admission.ts';
import { admittedAtOnce, type RateLimit } from '../../limits/rate-limit.ts';
import type { HttpInterfaceSpec } from '../../spec/http-schema.ts';

/** Pods named in a message. */
const MOST_NAMED = 3;
/** Statuses with which rate limiters reject. */
const USUAL_REJECTIONS: ReadonlySet<number> = new Set([429, 403, 503]);
const LOST_REDIS =
  'Check its logs for a lost connection to Redis: at its start, or by a timeout below its usual latency. Some rate limiters then admit all callers until the pod restarts';

/** What has to be true of the identity of the caller, by the kind of identity: after `check`. */
export const WHO_IS_TAKEN = {
  Key: 'that $(key) is where the rate limiter takes the identity of its caller',
  SourceAddress:
    'that all pods see the operator under one address, and count by it: a proxy or address translation may show them several',
} as const satisfies Record<HttpInterfaceSpec['identity'], string>;

/** Facts about the control other than its requests. */
export interface OverLimitOptions {
  readonly limit: RateLimit;
  /** The most that the limit allows during the control. */
  readonly bound: number;
  readonly identity: HttpInterfaceSpec['identity'];
  /** Statuses that count as admitted. */
  readonly admittedStatuses: readonly number[];
}

/**
 * @param requests of one caller, in sending order, one after the other
 * @returns a {@link LimitNotKeptError} if a pod rejected any; another Error if none did
 */
export function overLimit(requests: readonly CallerRequest[], options: OverLimitOptions): Error {
  const { admittedStatuses, bound, identity, limit } = options;
  const admitted = requests.filter(({ outcome }) => outcome === 'Admitted');
  const figure = `without any fault one caller was admitted ${counted(admitted.length, 'time')}, and the limit allows ${bound}`;
  if (admitted.length < requests.length) {
    return new LimitNotKeptError(`${figure}. ${causes(requests, limit, bound, identity)}`);
  }
  const rejections = admittedStatuses.filter((status) => USUAL_REJECTIONS.has(status));
  const check =
    rejections.length > 0
      ? `${rejections.join(' and ')} in rateLimiter.http.admittedStatuses is usually a rejection: move it to rejectedStatuses. Otherwise check ${WHO_IS_TAKEN[identity]}`
      : `Check ${WHO_IS_TAKEN[identity]}. ${LOST_REDIS}`;
  return new Error(`${figure}. No pod rejected a request, so no limit was seen. ${check}`);
}

function causes(
  requests: readonly CallerRequest[],
  limit: RateLimit,
  bound: number,
  identity: HttpInterfaceSpec['identity'],
): string {
  const admitted = requests.filter(({ outcome }) => outcome === 'Admitted');
  const pods = [...new Set(requests.map(({ pod }) => pod))];
  const countOf = (name: string, of: readonly CallerRequest[]): number =>
    of.filter(({ pod }) => pod === name).length;
  const correct = `${limitField(limit)} is ${admitted.length} rather than ${admittedAtOnce(limit)}`;

  const rejecting = new Set(requests.filter(({ outcome }) => outcome === 'Rejected').map(({ pod }) => pod));
  const open = pods.filter((pod) => !rejecting.has(pod));
  if (open.length > 0) {
    return `${firstOf(open)} rejected none, and ${firstOf([...rejecting])} did. ${LOST_REDIS}`;
  }
  const full = admittedAtOnce(limit);
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
    return `Only ${firstOf(over)} admitted requests beyond it (${beyond.length}), while the other pods rejected: compare its limit, image and configuration with theirs`;
  }
  if (again) {
    return `Pods admitted requests after a rejection, so the rate limiter probably decides on counts that are out of date. Otherwise ${correct}`;
  }
  return `From then on every pod rejected, so ${correct}, or the rate limiter does not count every request. If the spec is wrong, correct it`;
}

/** The field of the spec with the number of requests admitted at once. */
export function limitField({ algorithm }: RateLimit): string {
  return `rateLimiter.limit.${algorithm === 'TokenBucket' ? 'burst' : 'requests'}`;
}

/** The first few of these pods, for a message. */
function firstOf(pods: readonly string[]): string {
  const [named, left] = [pods.slice(0, MOST_NAMED), pods.length - MOST_NAMED];
  return left > 0 ? `${named.join(', ')} and ${left} more` : named.join(', ');
}

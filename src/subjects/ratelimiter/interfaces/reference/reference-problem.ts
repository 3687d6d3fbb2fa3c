/** What is wrong with a caller of the bundled limiter that used its limit up without any fault. Pure. */
import { counted } from '../../../../api/index.ts';
import { overAdmission } from '../../limits/over-admission.ts';
import type { RateLimit } from '../../limits/rate-limit.ts';
import type { Exhausted } from '../exhaust-limit.ts';

/**
 * Why a caller did not get what it should whose limit the run has set itself; undefined: it did.
 * @param full the requests that its limit allows
 * @param timeoutField of the spec, how long an answer was waited for
 */
export function referenceProblem(
  limit: RateLimit,
  full: number,
  { improper, requests, exhausted }: Exhausted,
  timeoutField: string,
): Error | undefined {
  if (improper) {
    const { asked, outcome, node, problem } = improper;
    const remedy =
      outcome === 'Timeout'
        ? `See in the logs why it waits, or raise ${timeoutField}`
        : 'See in the logs why it neither admitted nor rejected: an error is no rejection';
    return new Error(`without any fault ${asked} to ${node} failed: ${problem}. ${remedy}`);
  }
  const admitted = requests.filter(({ outcome }) => outcome === 'Admitted');
  const { excess } = overAdmission(
    { ...limit, requests: full },
    admitted.map(({ endedAt: answeredAt, sentAt }) => ({ sentAt, answeredAt })),
    { firstSentAt: requests[0]?.sentAt ?? 0 },
  );
  if (!exhausted || excess > 0) {
    return new Error(
      `without any fault one caller was admitted ${counted(admitted.length, 'time')}, and the limit of its key is ${full}, although the pods had time to learn of each other's counts: see whether all of them count in the same Redis`,
    );
  }
  if (admitted.length === 0) {
    return new Error(
      `without any fault one caller was rejected at its first request, and the limit of its key is ${full}: see why, for a limiter that rejects everybody never admits too much`,
    );
  }
  if (admitted.length < full) {
    return new Error(
      `without any fault one caller was rejected after ${counted(admitted.length, 'request')}, and the limit of its key is ${full}: see who else sends requests for keys that begin with demo-`,
    );
  }
  return undefined;
}

/** The control of a store outage: what callers got before the fault. Pure. */
import type { CallerRequest } from '../../interfaces/caller-request.ts';
import type { OverAdmission } from '../../limits/over-admission.ts';
import { admittedAtOnce } from '../../limits/rate-limit.ts';
import type { OutageSettings } from './behaviour.ts';
import { countsOf } from './counts.ts';

/**
 * Why the limiter did not keep its limit before the fault, so that its failure in the fault shows nothing; empty: it did.
 * @param before requests whose answers were there when the fault began
 * @param over what was admitted of them to the caller over its limit
 */
export function controlShortfalls(
  { limit, nodes }: Pick<OutageSettings, 'limit' | 'nodes'>,
  before: readonly CallerRequest[],
  { admitted, bound, excess }: OverAdmission,
): string[] {
  const missing: string[] = [];
  for (const node of nodes) {
    const within = before.filter((request) => request.node === node && request.caller === 'Within');
    const { Admitted } = countsOf(within, 'Within');
    if (within.length === 0)
      missing.push(`${node} got no request of a caller under its limit before the fault`);
    else if (Admitted < within.length) {
      missing.push(
        `before the fault ${node} admitted ${Admitted} of ${within.length} requests of callers under their limit`,
      );
    }
  }
  if (excess > 0) {
    missing.push(
      `before the fault ${admitted} requests of the caller over its limit were admitted, and ${bound} are the most`,
    );
  }
  const beyond = countsOf(before, 'Beyond');
  if (beyond.Denied === 0) {
    missing.push(
      `before the fault no request of a caller over its limit was rejected, after ${beyond.Admitted} were admitted and ${admittedAtOnce(limit)} are allowed`,
    );
  }
  return missing;
}

/**
 * The action that a diagnosis recommends, in words that can be followed. It depends on the action and on what the
 * operator itself knows: a provider's text supplies no key, number or pod. Nothing here is carried out. Pure.
 */
import { type CelRule, counted, type DiagnosisStatus, LIMITS, truncate } from '../../api/index.ts';
import { isReference } from './interfaces/reference/preset.ts';
import { PART, type RateLimiterSpec } from './schema.ts';

/** Rejects Apply if the limiter has no interface to reset a counter. */
export const REMEDY_RULE: CelRule = {
  rule: `!has(self.${PART}) || self.remediation != 'Apply' || self.${PART}.interface == 'Reference'`,
  message:
    'remediation Apply needs interface Reference. A rate limiter behind HTTP has no interface to reset a counter, and the operator writes no key of its Redis. Use Suggest',
};

/** The suggestion for a limiter on this many pods. At most 320 characters. */
export function remedyOf(
  { action, pod }: Pick<DiagnosisStatus, 'action' | 'pod'>,
  limiter: RateLimiterSpec,
  pods: number,
): string {
  return truncate(remedy(action, pod, limiter, pods), LIMITS.remedy);
}

function remedy(action: string, pod: string | undefined, limiter: RateLimiterSpec, pods: number): string {
  const { requests, window } = limiter.limit;
  switch (action) {
    case 'none':
      return 'No action is needed.';
    case 'wait':
      return 'Wait: the problem is expected to end automatically.';
    case 'reset-counter':
      return isReference(limiter)
        ? `Define the limit of the affected key again (POST /limit with ${requests} requests in ${window}). That starts a new window on every pod: previous counts are forgotten.`
        : 'Let the affected counts expire: a rate limiter behind HTTP has no interface to reset them.';
    case 'change-limit': {
      const share = Math.max(1, Math.floor(requests / Math.max(1, pods)));
      const how = isReference(limiter) ? 'POST /limit' : 'the configuration of the rate limiter';
      return `Change the limit from ${requests} to ${counted(share, 'request')}, by ${how}: ${pods} pods that decide independently then admit at most ${share * pods}.`;
    }
    case 'change-mode':
      return 'Configure the rate limiter to count each request in one atomic step in the store before it is admitted, with a deadline. Then roll it out.';
    case 'restart-component':
      return pod === undefined
        ? 'Restart the affected pods, one after another.'
        : `Restart it: kubectl delete pod ${pod}`;
    default:
      return 'Nothing is suggested: this operator does not know the action.';
  }
}

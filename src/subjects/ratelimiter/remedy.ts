/**
 * What would be done about a diagnosis, in words that can be followed. It goes by the action and by what the operator
 * itself knows: nothing that a provider wrote names a key, a number or a pod. Nothing here is carried out. Pure.
 */
import { counted, type DiagnosisStatus, LIMITS, truncate } from '../../api/index.ts';
import { shareOf } from './apply-remedy/bounds.ts';
import { isReference } from './interfaces/reference/preset.ts';
import type { RateLimiterSpec } from './schema.ts';

/** The suggestion for a limiter on so many pods. At most 320 characters. */
export function remedyOf(
  { action, pod }: Pick<DiagnosisStatus, 'action' | 'pod'>,
  limiter: RateLimiterSpec,
  pods: number,
): string {
  return truncate(remedy(action, pod, limiter, pods), LIMITS.remedy);
}

function remedy(action: string, pod: string | undefined, limiter: RateLimiterSpec, pods: number): string {
  const { requests } = limiter.limit;
  switch (action) {
    case 'none':
      return 'Nothing would be done.';
    case 'wait':
      return 'Nothing would be done: what is wrong is expected to end by itself.';
    case 'reset-counter':
      return isReference(limiter)
        ? `Would define the limit of the affected key anew (POST /limit with ${requests} requests in ${limiter.limit.window}), which starts a fresh window on every node: what was counted before is forgotten.`
        : 'Would have the affected counts run out: a rate limiter behind HTTP has no interface to reset them.';
    case 'change-limit': {
      const share = shareOf(requests, pods);
      const change = `from ${requests} to ${counted(share, 'request')}: ${pods} nodes that decide alone then let no more than ${share * pods} through`;
      return isReference(limiter)
        ? `Would change the limit ${change} (POST /limit).`
        : `Would change the limit ${change}; a rate limiter behind HTTP has no interface for that, so by its configuration.`;
    }
    case 'change-mode':
      return 'Would have each request counted in one atomic step in the store before it is allowed, with a deadline: by the configuration of the rate limiter, and a rollout.';
    case 'restart-component':
      return pod === undefined
        ? 'Would restart the affected pods, one after another.'
        : `Would restart it: kubectl delete pod ${pod}`;
    default:
      return 'Nothing would be done: this operator does not know the action.';
  }
}

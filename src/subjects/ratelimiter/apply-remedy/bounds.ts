/** What a remedy may set on a rate limiter, by the spec and the run alone. Pure. */
import type { CelRule } from '../../../api/index.ts';
import { counted } from '../../../api/index.ts';
import { PART } from '../schema.ts';

/** Requests of a burst that measures a limit, before or after it was changed, at most: it is a look, and no fault. */
export const MOST_MEASURING = 1000;

/** Refuses Apply where there is nothing to apply it with. */
export const REMEDY_RULE: CelRule = {
  rule: `self.remediation.mode != 'Apply' || self.${PART}.interface.type == 'Reference'`,
  message:
    'remediation.mode Apply needs interface.type Reference: a rate limiter behind HTTP has no interface to reset a counter or to change a limit, and the operator writes no key of its Redis. Use Suggest',
};

/** The limit that each of so many nodes may let through by itself without going beyond `requests` together. At least 1. */
export function shareOf(requests: number, nodes: number): number {
  return Math.max(1, Math.floor(requests / Math.max(1, nodes)));
}

/** Why ChangeLimit sets no limit; undefined: it sets {@link shareOf}. */
export function againstChange(
  requests: number,
  nodes: number,
  limit: { readonly min: number; readonly max: number } | undefined,
): string | undefined {
  const share = shareOf(requests, nodes);
  if (share === requests) {
    return `a limit of ${requests} on ${counted(nodes, 'node')} cannot be shared out further`;
  }
  if (share * nodes > requests) {
    return `${nodes} nodes that let 1 request through each go beyond the limit of ${requests} together`;
  }
  if (!limit || share < limit.min || share > limit.max) {
    const bounds = limit ? `${limit.min} to ${limit.max}` : 'none';
    return `a limit of ${share} is needed, and spec.remediation.apply.limit allows ${bounds}`;
  }
  const sent = measuringRequests(requests, nodes);
  return sent > MOST_MEASURING
    ? `measuring it takes ${sent} requests at once, and ${MOST_MEASURING} is the most that a remedy sends`
    : undefined;
}

/**
 * Requests that show whether nodes keep within `requests` together: to each at least one more than its share, which is
 * beyond `requests` over all, and twice that limit as far as so many may be sent. Then a node that has just learned of
 * the others' counts hides nothing.
 */
export function measuringRequests(requests: number, nodes: number): number {
  const least = nodes * (shareOf(requests, nodes) + 1);
  return Math.max(least, Math.min(2 * requests, MOST_MEASURING));
}

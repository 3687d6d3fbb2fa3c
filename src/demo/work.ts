/** What a stage says of its work, and the wait for a healthy subject that two stages share. */
import type { Reason } from '../api/index.ts';
import { formatDuration, truncate } from '../api/index.ts';
import type { Context } from './context.ts';
import { wake } from './context.ts';
import type { HealthSnapshot } from './health.ts';
import { goneMessage } from './observed.ts';

export interface Work {
  done: boolean;
  /** For people: what happens, or what happened. */
  message: string;
  /** What the chapter is at in a word or two, where the title alone would not show a change. */
  note?: string | undefined;
  /** The run cannot go on; `message` says why. */
  fail?: Reason;
}

/** How long a subject may take to become healthy before the run is Errored. */
export const HEALTHY_WITHIN_MS = 30_000;

/** Characters that issues may take of a message. */
const MOST_ISSUES = 320;

/** The last snapshot, unless it is too old to say anything of now. */
export function freshHealth(context: Context): HealthSnapshot | undefined {
  const { health } = context.observed;
  return health && context.now <= health.validUntil ? health : undefined;
}

/**
 * Waits for a healthy subject; undefined once it is. The time allowed counts
 * from when this session began to look, or from `since` where that is later.
 */
export function awaitHealthy(context: Context, since: number): Work | undefined {
  const health = freshHealth(context);
  if (health && !health.hasIssues) return undefined;
  // Every node may have an issue; what to do stands behind them and must not be cut off.
  const seen = health
    ? truncate(health.issues.join('; '), MOST_ISSUES) || 'it has issues'
    : 'nobody has answered yet';
  const gone = goneMessage(context.observed);
  const issues = gone ? `${gone}; ${seen}` : seen;
  const deadline = Math.max(since, context.observed.since) + HEALTHY_WITHIN_MS;
  if (context.now < deadline) {
    wake(context, deadline);
    return { done: false, message: `Waiting for a healthy subject: ${issues}`, note: 'unhealthy' };
  }
  const message = `Not healthy within ${formatDuration(HEALTHY_WITHIN_MS)}: ${issues}. Nothing was injected; see that the pods are Ready and reach Redis, then run again`;
  return { done: false, message, fail: 'TargetUnhealthy' };
}

/** The state of a stage's work, and the wait for a healthy subject that two stages share. */
import type { Reason } from '../api/index.ts';
import { formatDuration, truncate } from '../api/index.ts';
import type { Context } from './context.ts';
import type { HealthSnapshot } from './health.ts';
import { goneMessage } from './observed.ts';
import { ms } from './time.ts';

export interface Work {
  done: boolean;
  /** For people: what happens, or what happened. */
  message: string;
  /** The current step in a word or two, if the title alone would not show a change. */
  note?: string | undefined;
  /** The run cannot continue; `message` has the reason. */
  fail?: Reason;
  /** Why the run does not advance for now, if the chapter's own work is not the reason. */
  reason?: Reason;
}

/** Work that goes on at `at` at the latest. */
export function workUntil(context: Context, at: number, message: string, note?: string): Work {
  context.wake(at);
  return { done: false, message, note };
}

/** How long a subject may take to become healthy before the run is Errored. */
const HEALTH_TIMEOUT_MS = 30_000;

/** Maximum length of the issues in a message, in characters. */
const MAX_ISSUES_LENGTH = 320;

/** The last snapshot, unless it has expired. */
export function freshHealth(context: Context): HealthSnapshot | undefined {
  const { health } = context.observed;
  return health && context.now <= health.validUntil ? health : undefined;
}

/**
 * Waits for a healthy subject; undefined once it is. The time limit counts from when this session began to observe,
 * from `since`, or from when the subject became unhealthy or the last check too old, whichever is latest: time that a
 * run waits for a person does not count.
 */
export function awaitHealthy(context: Context, since: number): Work | undefined {
  const health = freshHealth(context);
  if (health && !health.hasIssues) return undefined;
  const last = context.observed.health;
  // Every pod may have an issue; the advice after them must not be cut off.
  const healthIssues = health
    ? truncate(health.issues.join('; '), MAX_ISSUES_LENGTH) || 'it has issues'
    : last
      ? 'its last check is too old'
      : 'no pod has responded yet';
  const gone = goneMessage(context.observed);
  const issues = gone ? `${gone}; ${healthIssues}` : healthIssues;
  const unhealthySince = health ? unhealthySinceOf(context) : 0;
  const unknownSince = health ? 0 : (last?.validUntil ?? 0);
  const deadline = Math.max(since, context.observed.since, unhealthySince, unknownSince) + HEALTH_TIMEOUT_MS;
  if (context.now < deadline)
    return workUntil(context, deadline, `Waiting for a healthy subject: ${issues}`, 'unhealthy');
  const before = context.draft.scenarios?.some(({ fault }) => fault?.startedAt);
  const injected = before ? 'Nothing further was injected' : 'Nothing was injected';
  const message = `Not healthy within ${formatDuration(HEALTH_TIMEOUT_MS)}: ${issues}. ${injected}. Check that the pods are Ready and reach what they depend on, then run again`;
  return { done: false, message, fail: 'TargetUnhealthy' };
}

/** When the subject became unhealthy, by the condition; now, if that does not show it yet. */
function unhealthySinceOf({ demo, now }: Context): number {
  const known = demo.status?.conditions?.find(({ type }) => type === 'Healthy');
  return known?.status === 'False' ? ms(known.lastTransitionTime) : now;
}

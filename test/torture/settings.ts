/** What is the same in every run of the torture. */
import type { LanePlan } from './plan.ts';

/** The leader lease: less than what ships, so that a standby takes over in seconds. */
export const LEASE_MS = 4000;
/** Name of the scenario whose key a burst goes to. */
export const BURST_SCENARIO = 'ghosts';
/** Name of the scenario of a lane behind HTTP. */
export const OUTAGE_SCENARIO = 'outage';
/** Node processes of a lane. */
export const NODES = 3;
/** Requests that the limit of a demo allows. */
export const LIMIT = 10;
/** In so long. */
export const WINDOW_SEC = 60;
/** `health.timeout`. */
export const TIMEOUT_MS = 2000;
/** What a verdict may come later than the deadline by: a takeover, and what stopping a run may take. */
export const OVERTIME_MS = 2 * LEASE_MS + 30_000;

/** `spec.activeDeadline` of a lane: the shortest that there is, but for a failover, which takes longer. */
export function deadlineOf({ mode }: Pick<LanePlan, 'mode'>): string {
  return mode === 'failover' ? '90s' : '1m';
}

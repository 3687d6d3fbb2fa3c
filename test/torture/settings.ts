/** What is the same in every run of the torture. */

/** The leader lease: less than what ships, so that a standby takes over in seconds. */
export const LEASE_MS = 4000;
/** Name of the scenario whose key a burst goes to. */
export const BURST_SCENARIO = 'ghosts';
/** `spec.activeDeadline`, the shortest that there is. */
export const DEADLINE = '1m';
/** Requests that the limit of a demo allows. */
export const LIMIT = 10;
/** `health.timeout`. */
export const TIMEOUT_MS = 2000;
/** `counterDrift.threshold`. */
export const THRESHOLD = 5;
/** What a verdict may come later than the deadline by: a takeover, and what stopping a run may take. */
export const OVERTIME_MS = 2 * LEASE_MS + 30_000;

/** Time as a port: the operator passes the system's, the simulation its own. */
export interface Clock {
  /** The wall clock: moments, in milliseconds since the epoch; the fraction counts. It may step. */
  now(): number;
  /** The monotonic clock: durations, in milliseconds from any origin. */
  monotonic(): number;
  /** Resolves after `ms` milliseconds; rejects with the reason of `signal` as soon as that aborts. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

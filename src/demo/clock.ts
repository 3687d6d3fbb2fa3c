/** Time as a port: the operator passes the system's, the simulation its own. */
export interface Clock {
  /**
   * Moments, in milliseconds since the epoch; the fraction counts. As long as a run is on, the difference of two is
   * the time between them, whatever somebody does to the wall clock.
   */
  now(): number;
  /** The monotonic clock: durations, in milliseconds from any origin. */
  monotonic(): number;
  /** Resolves after `ms` milliseconds; rejects with the reason of `signal` as soon as that aborts. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

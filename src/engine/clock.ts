/** Time as a port: the operator passes the system's, the simulation its own. */
export interface Clock {
  /**
   * Current time in milliseconds since the epoch, with a fraction. During a run, the difference of two values is the
   * time between them, even if the wall clock is set.
   */
  now(): number;
  /** The monotonic clock: durations, in milliseconds from any origin. */
  monotonic(): number;
  /** Resolves after `ms` milliseconds; rejects with the reason of `signal` as soon as that aborts. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

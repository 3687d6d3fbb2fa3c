/** When a fault was active, as far as known. Pure. */

/** When a fault was active; milliseconds since the epoch. */
export interface FaultTimes {
  readonly startedAt?: number;
  readonly endedAt?: number;
  /** The planned start; undefined before it is known. */
  readonly plannedAt?: number;
  /** The planned end; infinite before it is known. */
  readonly until: number;
  /** When it may have been active, if it was reported without a start. */
  readonly presumed?: { readonly startedAt: number; readonly endedAt: number } | undefined;
  /** When Redis had lost the last of the counts that it was to lose. */
  readonly countsLostAt?: number;
  /** From then on it is unknown whether the fault is active: the probe that showed it has ended. */
  readonly doubtfulFrom?: number;
}

/** When a fault was active, as far as known. Pure. */

/** When a fault was active; milliseconds since the epoch. */
export interface FaultTimes {
  readonly startedAt?: number;
  readonly endedAt?: number;
  /** The planned end; infinite before it is known. */
  readonly until: number;
  /** When Redis had lost the last of the counts that it was to lose. */
  readonly countsLostAt?: number;
  /** From then on it is unknown whether the fault is active: the probe that showed it has ended. */
  readonly doubtfulFrom?: number;
}

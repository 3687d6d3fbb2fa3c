/** When a fault was active, as far as known. Pure. */

/**
 * A fault that ends this much before its planned end did not last, in milliseconds: a store ends a pause late, never
 * early.
 */
export const EARLY_MS = 250;

/** When a fault was active; milliseconds since the epoch. */
export interface FaultTimes {
  readonly startedAt?: number;
  readonly endedAt?: number;
  /** The planned end; infinite before it is known. */
  readonly until: number;
  /** From then on it is unknown whether the fault is active: the probe that showed it has ended. */
  readonly doubtfulFrom?: number;
}

/**
 * One sample of the counters of a caller: admissions are read first, and counts after that. In this order the
 * difference can only be too small, never too large: the counts may have caught up in between.
 */

export interface CounterSample {
  /** When the admissions had been read, in milliseconds since the epoch. */
  readonly readAt: number;
  /** When the count had been read as well. */
  readonly endedAt: number;
  /** The admissions of each pod by the sender's own count. */
  readonly admitted: ReadonlyMap<string, number>;
  /** What Redis counted over all pods; undefined if it could not be read. */
  readonly stored: number | undefined;
  /** Whether Redis gave no answer at all. */
  readonly storeSilent?: boolean;
  /** Pods for which the window of the key may have ended. */
  readonly elsewhere: readonly string[];
  /** Why something is missing. */
  readonly problems: readonly string[];
}

/** Admissions over all pods. */
export function totalAdmitted({ admitted }: Pick<CounterSample, 'admitted'>): number {
  return [...admitted.values()].reduce((sum, count) => sum + count, 0);
}

/** Why a sample is incomplete; undefined: Redis answered. */
export function missingIn({ problems, stored }: CounterSample): string | undefined {
  if (stored !== undefined) return undefined;
  return problems[0] ?? 'the window of the key had ended';
}

/** Admitted requests by pod. */
export type AdmittedByPod = ReadonlyMap<string, number>;

/**
 * One sample of the counters of a caller: admissions are read first, and counts after that. In this order the
 * difference can only be too small, never too large: the counts may have caught up in between.
 */

export interface CounterSample {
  /** When the admissions had been read, in milliseconds since the epoch. */
  readonly readAt: number;
  /** When the count had been read as well. */
  readonly endedAt: number;
  /** The admissions of each pod, as reported by its counter or the sender. */
  readonly admitted: ReadonlyMap<string, number>;
  /** What Redis counted over all pods; undefined if it could not be read. */
  readonly stored: number | undefined;
  /** Whether Redis gave no answer at all. */
  readonly storeSilent?: boolean;
  /** Pods that answered for another window, or no longer know the key. */
  readonly elsewhere: readonly string[];
  /** Pods whose answer was not a counter. */
  readonly improper?: readonly string[];
  /** Pods that got no request, because this machine opened no connection: that shows nothing about them. */
  readonly notQueried?: readonly string[];
  /** Why something is missing. */
  readonly problems: readonly string[];
}

/** Admissions over all pods. */
export function totalAdmitted({ admitted }: Pick<CounterSample, 'admitted'>): number {
  return [...admitted.values()].reduce((sum, count) => sum + count, 0);
}

/** Why a sample over this many pods is incomplete; undefined: every pod and Redis answered. */
export function missingIn(
  { admitted, elsewhere, problems, stored }: CounterSample,
  pods: number,
): string | undefined {
  if (stored !== undefined && admitted.size >= pods) return undefined;
  return problems[0] ?? `${elsewhere.join(', ')} lost the key`;
}

/** Admitted requests by pod. */
export type AdmittedByPod = ReadonlyMap<string, number>;

/** The source of admissions, which are compared with the count in Redis: the pods' counters, or the sender. */
export type CountSource = 'Nodes' | 'Sender';

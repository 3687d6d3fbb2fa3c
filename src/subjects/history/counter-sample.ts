import { sumOf } from './counts.ts';
import type { EventOf } from './events.ts';

/**
 * One sample of the counters of a caller: admissions are read first, and counts after that. In this order the
 * difference can only be too small, never too large: the counts may have caught up in between.
 */
export type CounterSample = Omit<EventOf<'count'>, 'inFlight' | 'key' | 'kind'>;

/** Admitted requests by pod. */
export type AdmittedByPod = CounterSample['admitted'];

/** Admissions over all pods. */
export function totalAdmitted({ admitted }: Pick<CounterSample, 'admitted'>): number {
  return sumOf(Object.values(admitted));
}

/** Why a sample is incomplete; undefined: Redis answered. */
export function missingIn({ problems, stored }: CounterSample): string | undefined {
  if (stored !== undefined) return undefined;
  return problems[0] ?? 'the window of the key had ended';
}

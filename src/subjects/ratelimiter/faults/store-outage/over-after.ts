/** How much more than its limit a caller was let through once a fault was over, on top of what it got before. Pure. */
import type { AdmittedRequest } from '../../limits/over-admission.ts';

export interface OverAfter {
  /** Requests more beyond the limit than until the end of the fault; 0: none. */
  readonly more: number;
  /** When the last of them had its answer, in milliseconds since the epoch. */
  readonly lastAt?: number;
}

/**
 * @param until admitted until the end of the fault
 * @param since admitted of what was sent after it, in any order
 * @param excessOf how much more than the limit allows these are; with more of them never less
 */
export function overAfter<T extends AdmittedRequest>(
  until: readonly T[],
  since: readonly T[],
  excessOf: (some: readonly T[]) => number,
): OverAfter {
  // As it mostly is; the rest takes its time with many requests.
  if (since.length === 0) return { more: 0 };
  const inOrder = since.toSorted((a, b) => a.answeredAt - b.answeredAt);
  const excessWith = (count: number): number => excessOf([...until, ...inOrder.slice(0, count)]);
  const most = excessWith(inOrder.length);
  const more = most - excessWith(0);
  if (more <= 0) return { more: 0 };
  let [below, enough] = [0, inOrder.length];
  while (enough - below > 1) {
    const middle = Math.floor((below + enough) / 2);
    if (excessWith(middle) < most) below = middle;
    else enough = middle;
  }
  const last = inOrder[enough - 1];
  return { more, ...(last && { lastAt: last.answeredAt }) };
}

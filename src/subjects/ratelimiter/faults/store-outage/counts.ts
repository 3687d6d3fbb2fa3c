/** How many requests had each outcome. Pure. */
import type { CallerKind, CallerRequest, Got } from '../../interfaces/caller-request.ts';

export type Counts = Readonly<Record<Got, number>>;

const OUTCOMES = ['Admitted', 'Denied', 'Failed', 'Unanswered'] as const satisfies readonly Got[];

/** The outcomes of requests of callers of these kinds. */
export function countsOf(requests: readonly CallerRequest[], ...kinds: readonly CallerKind[]): Counts {
  const counts = { Admitted: 0, Denied: 0, Failed: 0, Unanswered: 0 };
  for (const { caller, got } of requests) if (kinds.includes(caller)) counts[got] += 1;
  return counts;
}

/** The sum of counts, outcome by outcome. */
export function totalOf(all: readonly Counts[]): Counts {
  const total = { Admitted: 0, Denied: 0, Failed: 0, Unanswered: 0 };
  for (const counts of all) for (const name of OUTCOMES) total[name] += counts[name];
  return total;
}

/** How many requests they are. */
export function sizeOf({ Admitted, Denied, Failed, Unanswered }: Counts): number {
  return Admitted + Denied + Failed + Unanswered;
}

/** In words: what was admitted, and of the rest what there is. */
export function countsText({ Admitted, Denied, Failed, Unanswered }: Counts): string {
  const rest = Object.entries({ rejected: Denied, failed: Failed, unanswered: Unanswered });
  return [
    `${Admitted} admitted`,
    ...rest.flatMap(([what, count]) => (count > 0 ? [`${count} ${what}`] : [])),
  ].join(', ');
}

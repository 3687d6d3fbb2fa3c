/** Exit statuses for the end of a run. */
import type { ChaosDemo } from '../api/index.ts';

/** By phase. */
export const EXIT_BY_PHASE: Readonly<Record<string, number>> = {
  Succeeded: 0,
  Failed: 1,
  Errored: 2,
  Aborted: 3,
};

/** Of a program that runs a demo. */
export function exitOfRun({ status }: Pick<ChaosDemo, 'status'>): number {
  return EXIT_BY_PHASE[status?.phase ?? ''] ?? 2;
}

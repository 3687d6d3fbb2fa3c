/** The pauses of a spec, which Sentinels could notice. Pure. */
import type { AdmissionRequest } from '../../../engine/subject.ts';
import { plansOf, SCENARIO_TYPES } from '../scenarios/index.ts';

/** Types of the faults that leave a pause active unless it is ended. */
export const PAUSES = new Set(SCENARIO_TYPES.flatMap(({ api, fault }) => (fault ? [api.type] : [])));

/** The longest pause of a run, in milliseconds. */
export function longestPauseOf({ spec }: Pick<AdmissionRequest, 'spec'>): number {
  const pauses = plansOf(spec).filter(({ mechanism }) => mechanism?.holdsWrites);
  return Math.max(0, ...pauses.map(({ faultMs }) => faultMs));
}

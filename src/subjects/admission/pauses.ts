/** The pauses of a spec, which Sentinels could notice. Pure. */
import type { AdmissionRequest } from '../../engine/subject.ts';
import { plansOf, type SubjectKind } from '../scenarios/subject-kind.ts';

/** The longest pause of a run, in milliseconds. */
export function longestPauseOf(kind: SubjectKind, { spec }: Pick<AdmissionRequest, 'spec'>): number {
  const pauses = plansOf(kind, spec).filter(({ mechanism }) => mechanism?.holdsWrites);
  return Math.max(0, ...pauses.map(({ faultMs }) => faultMs));
}

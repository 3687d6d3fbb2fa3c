/**
 * Metrics of diagnoses, counted when a run has ended: then they are final. A status may hold anything that its writers
 * put there, so labels are from closed sets: the profiles of this operator, and `other`.
 */
import type { ChaosDemoStatus, DiagnosisStatus } from '../../api/index.ts';
import { RULES_PROFILE } from '../../api/index.ts';
import type { MetricTable } from './metric-table.ts';

/** Whether the diagnosis is by the profile of the spec, or by the rules in its place. */
const BY = ['profile', 'rules-instead'] as const;

/** A profile unknown to this operator: of a previous one, or forged. */
const OTHER = 'other';

/**
 * @param profiles names of the profiles of this operator, with or without the rules
 * @returns counts the diagnoses of a run that has just ended
 */
export function createDiagnosisMetrics(table: MetricTable, profiles: readonly string[]) {
  const known = [...new Set([RULES_PROFILE, ...profiles]), OTHER];
  const made = table.counter(
    'chaosdemo_diagnoses_total',
    'Diagnoses of runs that have ended, by the profile that made them. If the profile of the spec did not answer, the rules made them.',
    { profile: known, by: BY },
  );
  const count = ({ requestedAt, message, profile: named }: DiagnosisStatus): void => {
    const profile = known.includes(named) ? named : OTHER;
    // If an object is deleted during its run, another profile may still be queried.
    const instead = profile === RULES_PROFILE && (message !== undefined || requestedAt !== undefined);
    made({ profile, by: instead ? 'rules-instead' : 'profile' });
  };
  return ({ diagnoses = [] }: ChaosDemoStatus): void => diagnoses.forEach(count);
}

/**
 * What is counted of diagnoses when a run has ended: then they are final. Whoever may write a status may write
 * anything into it, so labels are of closed sets: the profiles of this operator, and `other`.
 */
import type { ChaosDemoStatus, DiagnosisStatus } from '../../api/index.ts';
import { REMEDIES, RULES_PROFILE } from '../../api/index.ts';
import type { MetricTable } from './metric-table.ts';

/** What an answer is graded by. reason is Right where every step cites what shows it. */
const DIMENSIONS = ['localization', 'identification', 'reason', 'action'] as const;
const GRADES = ['Right', 'Wrong'] as const;
/** Whether the profile of the spec has made a diagnosis, or the rules did in its place. */
const BY = ['profile', 'rules-instead'] as const;

/** What comes of a remedy that was decided on. */
const OUTCOMES = ['Applied', 'Ineffective', 'Unproven', 'NotApplied'] as const;

/** A profile that this operator does not have: of another one before it, or forged. */
const OTHER = 'other';

export interface DiagnosisMetrics {
  /** Counts the diagnoses of a run that has just ended. */
  runEnded(status: ChaosDemoStatus): void;
}

/** @param profiles names of the profiles of this operator, the rules among them or not */
export function createDiagnosisMetrics(table: MetricTable, profiles: readonly string[]): DiagnosisMetrics {
  const known = [...new Set([RULES_PROFILE, ...profiles]), OTHER];
  const made = table.counter(
    'chaosdemo_diagnoses_total',
    'Diagnoses of runs that have ended, by the profile that made them: asked for, or the rules instead of one that did not answer.',
    { profile: known, by: BY },
  );
  const graded = table.counter(
    'chaosdemo_diagnosis_grades_total',
    'Grades of those diagnoses, by profile and dimension, against what was injected.',
    { profile: known, dimension: DIMENSIONS, grade: GRADES },
  );
  const remedied = table.counter(
    'chaosdemo_remedies_total',
    'Remedies that runs which have ended had decided on, by what came of them.',
    { remedy: Object.keys(REMEDIES), outcome: OUTCOMES },
  );
  const count = ({ askedAt, grade, message, profile: named, remediation }: DiagnosisStatus): void => {
    const profile = known.includes(named) ? named : OTHER;
    // Of an object that goes in the midst of its run another profile may still be asked.
    const instead = profile === RULES_PROFILE && (message !== undefined || askedAt !== undefined);
    made({ profile, by: instead ? 'rules-instead' : 'profile' });
    remedied({ remedy: remediation?.action, outcome: remediation?.state });
    if (!grade) return;
    for (const dimension of DIMENSIONS) {
      const value = dimension === 'reason' ? (grade.reason === 100 ? 'Right' : 'Wrong') : grade[dimension];
      graded({ profile, dimension, grade: value });
    }
  };
  return {
    runEnded({ diagnoses = [] }) {
      for (const diagnosis of diagnoses) count(diagnosis);
    },
  };
}

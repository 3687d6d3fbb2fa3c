/**
 * What is counted of diagnoses when a run has ended: then they are final. Whoever may write a status may write
 * anything into it, so labels are of closed sets: the profiles of this operator, and `other`.
 */
import { Counter, type Registry } from 'prom-client';
import type { ChaosDemoStatus, DiagnosisStatus } from '../../api/index.ts';
import { REMEDIES, RULES_PROFILE } from '../../api/index.ts';

/** What an answer is graded by. reason is Right where every step cites what shows it. */
export const DIMENSIONS = ['localization', 'identification', 'reason', 'action'] as const;
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
export function createDiagnosisMetrics(registers: Registry[], profiles: readonly string[]): DiagnosisMetrics {
  const known = new Set([RULES_PROFILE, ...profiles]);
  const made = new Counter({
    name: 'chaosdemo_diagnoses_total',
    help: 'Diagnoses of runs that have ended, by the profile that made them: asked for, or the rules instead of one that did not answer.',
    labelNames: ['profile', 'by'],
    registers,
  });
  const grades = new Counter({
    name: 'chaosdemo_diagnosis_grades_total',
    help: 'Grades of those diagnoses, by profile and dimension, against what was injected.',
    labelNames: ['profile', 'dimension', 'grade'],
    registers,
  });
  const remedies = new Counter({
    name: 'chaosdemo_remedies_total',
    help: 'Remedies that runs which have ended had decided on, by what came of them.',
    labelNames: ['remedy', 'outcome'],
    registers,
  });
  for (const remedy of Object.keys(REMEDIES))
    for (const outcome of OUTCOMES) remedies.inc({ remedy, outcome }, 0);
  const countRemedy = ({ remediation }: DiagnosisStatus): void => {
    const remedy = Object.keys(REMEDIES).find((one) => one === remediation?.action);
    const outcome = OUTCOMES.find((one) => one === remediation?.state);
    if (remedy !== undefined && outcome !== undefined) remedies.inc({ remedy, outcome });
  };
  for (const profile of [...known, OTHER]) {
    for (const by of BY) if (by === 'profile' || profile === RULES_PROFILE) made.inc({ profile, by }, 0);
    for (const dimension of DIMENSIONS) {
      for (const grade of GRADES) grades.inc({ profile, dimension, grade }, 0);
    }
  }
  const count = ({ askedAt, grade, message, profile: named }: DiagnosisStatus): void => {
    const profile = known.has(named) ? named : OTHER;
    // Of an object that goes in the midst of its run another profile may still be asked.
    const instead = profile === RULES_PROFILE && (message !== undefined || askedAt !== undefined);
    made.inc({ profile, by: instead ? 'rules-instead' : 'profile' });
    if (!grade) return;
    for (const dimension of DIMENSIONS) {
      const value = dimension === 'reason' ? (grade.reason === 100 ? 'Right' : 'Wrong') : grade[dimension];
      if (value === 'Right' || value === 'Wrong') grades.inc({ profile, dimension, grade: value });
    }
  };
  return {
    runEnded({ diagnoses = [] }) {
      for (const diagnosis of diagnoses) {
        count(diagnosis);
        countRemedy(diagnosis);
      }
    },
  };
}

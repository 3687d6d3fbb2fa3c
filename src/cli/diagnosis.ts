/** Complete diagnoses: the conclusion from the status, the rest from the evidence of the run. Pure. */
import { type ChaosDemo, type DiagnosisStatus, GRADED } from '../api/index.ts';
import { type Diagnosis, evidenceName, type RunEvidence } from '../evidence/index.ts';

export interface ShownDiagnosis extends DiagnosisStatus {
  /** The model that answered, as its server names it. */
  readonly model?: string | undefined;
  /** The complete answer, with its steps and citations. */
  readonly full?: Diagnosis | undefined;
  /** Why it is missing, in a sentence; '' if it is there. */
  readonly missing: string;
}

/** @param evidence ignored if it is of another run or object */
export function shownDiagnoses(
  { metadata, status = {} }: Pick<ChaosDemo, 'metadata' | 'status'>,
  evidence: RunEvidence | undefined,
): ShownDiagnosis[] {
  const { number = 0 } = status.run ?? {};
  const isOfRun = evidence?.demo.uid === metadata.uid && evidence.run.number === number;
  const missing = `Its steps and citations are missing: they would be in the ConfigMap ${evidenceName(metadata.name, number)}.`;
  return (status.diagnoses ?? []).map((diagnosis): ShownDiagnosis => {
    // A newer answer is in the status before it is in the evidence.
    const full = evidence?.diagnoses.find(
      (one) =>
        isOfRun &&
        one.scenario === diagnosis.scenario &&
        one.profile === diagnosis.profile &&
        one.class === diagnosis.class &&
        one.component === diagnosis.component,
    );
    return { ...diagnosis, model: full?.model, full, missing: full ? '' : missing };
  });
}

/** How right a diagnosis is that was made without knowledge of the fault; only the evidence names the fault. */
export function gradeText(
  grade: NonNullable<DiagnosisStatus['grade']>,
  full: ShownDiagnosis['full'],
): string {
  const { reason, truth } = full?.grade ?? {};
  const fault = truth === undefined ? '' : `, ${truth}`;
  const steps = reason === undefined ? '' : `; the evidence supports ${reason} % of its steps`;
  const [component, cause, action] = GRADED.map((part) => (grade.includes(part) ? 'Right' : 'Wrong'));
  return `Grade against the injected fault${fault}: component ${component}, class ${cause}, action ${action}${steps}`;
}

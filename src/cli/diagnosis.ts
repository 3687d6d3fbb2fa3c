/** Complete diagnoses: the conclusion from the status, the rest from the evidence of the run. Pure. */
import type { ChaosDemoStatus, DiagnosisStatus } from '../api/index.ts';
import type { Diagnosis, RunEvidence } from '../evidence/index.ts';
import { type Citation, citationsOf } from './citations.ts';

export interface ShownDiagnosis extends DiagnosisStatus {
  /** The model that answered, as its server names it. */
  readonly model?: string | undefined;
  /** The complete answer, with its steps; undefined: it is not in the evidence. */
  readonly full?: Diagnosis | undefined;
  /** What the steps cite. */
  readonly citations: readonly Citation[];
}

/** @param evidence of the run */
export function shownDiagnoses(
  { diagnoses = [] }: ChaosDemoStatus,
  evidence: RunEvidence | undefined,
): ShownDiagnosis[] {
  return diagnoses.map((diagnosis): ShownDiagnosis => {
    // A newer answer is in the status before it is in the evidence.
    const full = evidence?.diagnoses.find(
      (one) =>
        one.scenario === diagnosis.scenario &&
        one.profile === diagnosis.profile &&
        one.class === diagnosis.class &&
        one.component === diagnosis.component,
    );
    const scenario = evidence?.scenarios.find(({ name }) => name === diagnosis.scenario);
    const citations = full && scenario ? citationsOf(full, scenario) : [];
    return { ...diagnosis, model: full?.model, full, citations };
  });
}

/** ", 80 % sure", by the profile; '' without the evidence. */
export function sureText({ full }: Pick<ShownDiagnosis, 'full'>): string {
  return full ? `, ${full.confidence} % sure` : '';
}

/**
 * The advice about the cause. There is none about a fault that this run injected: only whether the cause is that fault,
 * which the evidence has. Undefined: it is not known.
 */
export function adviceSentence({
  full,
  recommendation,
}: Pick<ShownDiagnosis, 'full' | 'recommendation'>): string | undefined {
  if (recommendation !== undefined) return `What to do: ${recommendation}`;
  if (!full?.grade) return undefined;
  return full.grade.identification === 'Right'
    ? 'This cause is the injected fault.'
    : 'This cause differs from the injected fault.';
}

/** How right a diagnosis is that was made without knowledge of the fault; undefined: it was not graded. */
export function gradeText({ full }: Pick<ShownDiagnosis, 'full'>): string | undefined {
  if (!full?.grade) return undefined;
  const { action, identification, localization, truth } = full.grade;
  return `Grade against the injected fault, ${truth}: component ${localization}, class ${identification}, action ${action}`;
}

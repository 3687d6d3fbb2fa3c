/** The progress of a run as lines for a terminal: changes of the status, and the verdict with its evidence. Pure. */
import type { ChaosDemo, ChaosDemoStatus, DiagnosisStatus, Measure, ScenarioStatus } from '../api/index.ts';
import {
  diagnosedBy,
  diagnosedClass,
  fallbackReason,
  formatDuration,
  RULES_PROFILE,
  remedySentence,
} from '../api/index.ts';
import { countAsExpected } from '../demo/verdict.ts';
import type { RunEvidence } from '../evidence/index.ts';
import { type ShownDiagnosis, shownDiagnoses } from './diagnosis.ts';

/** The lines to print for the change from `before` to `after`; none if nothing changed that matters. */
export function progressLines(before: ChaosDemoStatus | undefined, after: ChaosDemoStatus): string[] {
  const lines: string[] = [];
  for (const chapter of after.chapters ?? []) {
    const earlier = before?.chapters?.find(({ number }) => number === chapter.number);
    const entered = chapter.startedAt !== undefined && earlier?.startedAt === undefined;
    if (entered) lines.push(`── ${chapter.number}/${after.chapters?.length}  ${chapter.title}`);
    if (chapter.message && (entered || chapter.message !== earlier?.message))
      lines.push(`   ${chapter.message}`);
  }
  for (const scenario of after.scenarios ?? []) {
    const earlier = before?.scenarios?.find(({ name }) => name === scenario.name);
    if (scenario.result && scenario.result !== earlier?.result) lines.push(`   ★ ${resultLine(scenario)}`);
  }
  for (const diagnosis of after.diagnoses ?? []) {
    const { scenario } = diagnosis;
    const earlier = before?.diagnoses?.find((known) => known.scenario === scenario);
    lines.push(...explainerLines(earlier, diagnosis));
    const remedy = remedySentence(diagnosis);
    if (remedy !== undefined && remedy !== (earlier && remedySentence(earlier)))
      lines.push(`   ★ ${scenario}: ${remedy}`);
  }
  const stopping = after.journal?.ending;
  if (stopping && !before?.journal?.ending) lines.push(`   Stopping: ${stopping.message}`);
  return lines;
}

/** Lines for an answer of another profile, or its failure: the chapter has already shown the rules' answer. */
function explainerLines(earlier: DiagnosisStatus | undefined, diagnosis: DiagnosisStatus): string[] {
  const { profile, scenario } = diagnosis;
  const reason = fallbackReason(diagnosis);
  const isOther = profile !== (earlier?.profile ?? RULES_PROFILE);
  return [
    ...(isOther
      ? [`   ★ ${scenario}: Diagnosis by ${diagnosedBy(diagnosis)}: ${diagnosedClass(diagnosis)}`]
      : []),
    ...(reason !== undefined && reason !== fallbackReason(earlier ?? {})
      ? [`   ★ ${scenario}: ${reason}`]
      : []),
  ];
}

function resultLine({ detectedAfterMilliseconds: ms, name, result, summary }: ScenarioStatus): string {
  const figures = summary ? `: ${summary}` : '';
  const after = ms === undefined ? '' : `, detected ${formatDuration(ms)} after the violation`;
  return `${name} ${result ?? 'not tested'}${figures}${after}`;
}

/** The verdict with its results. @param evidence with the steps of diagnoses, if there is any */
export function verdictLines(demo: Pick<ChaosDemo, 'metadata' | 'status'>, evidence?: RunEvidence): string[] {
  const { status = {} } = demo;
  const { phase, run, scenarios = [] } = status;
  const lines = [
    '',
    `Verdict: ${phase} (${run?.verdict?.reason ?? '-'}), ${countAsExpected(status)} as expected`,
    `  ${run?.verdict?.message ?? status.message ?? ''}`,
  ];
  for (const scenario of scenarios) lines.push('', ...scenarioLines(scenario));
  for (const diagnosis of shownDiagnoses(demo, evidence)) lines.push('', ...diagnosisLines(diagnosis));
  return lines;
}

/** The finding of a scenario, with its figures and evidence. */
export function scenarioLines(scenario: ScenarioStatus): string[] {
  const { evidence = [], expect, fault, measures = [], message, recoveredAfterMilliseconds: ms } = scenario;
  const lines = [`${resultLine(scenario)} (expected ${expect})`];
  if (message) lines.push(`  ${message}`);
  if (fault) lines.push(`  Fault ${fault.proof ?? 'not proven'}: ${fault.message ?? fault.id}`);
  if (measures.length > 0) lines.push(`  Measured: ${measures.map(figure).join(', ')}`);
  // The proof of the fault is repeated in the evidence.
  lines.push(...evidence.filter((item) => item !== fault?.message).map((item) => `  - ${item}`));
  if (ms !== undefined) lines.push(`  - recovered within ${formatDuration(ms)} of the end of the fault`);
  return lines;
}

function diagnosisLines(diagnosis: ShownDiagnosis): string[] {
  const { confidence, grade, message, missing, full } = diagnosis;
  const { alternatives = [], chain = [], citations = [] } = full ?? {};
  const lines = [
    `Diagnosis of ${diagnosis.scenario} by ${diagnosedBy(diagnosis)}: ${diagnosedClass(diagnosis)} (${confidence} % sure)`,
    ...chain.map((step) => `  ${step.text} [${step.evidence.join(', ')}]`),
    ...citations.map(({ id, text }) => `  - ${id} ${text}`),
    ...(missing === '' ? [] : [`  ${missing}`]),
  ];
  if (alternatives.length > 0) {
    const others = alternatives.map((other) => `${other.class} at ${other.component}`);
    lines.push(`  Also, or instead: ${others.join('; ')}`);
  }
  lines.push(`  What to do: ${diagnosis.recommendation}`);
  const { remediation } = diagnosis;
  if (remediation)
    lines.push(`  ${remedySentence(diagnosis) ?? `${remediation.state}: ${remediation.message}`}`);
  if (grade) {
    lines.push(`  ${gradeText(grade, full)}`);
  }
  if (message) lines.push(`  ${message}`);
  return lines;
}

/** The injected fault is only in the evidence. */
function gradeText(
  { action, identification, localization }: NonNullable<DiagnosisStatus['grade']>,
  full: ShownDiagnosis['full'],
): string {
  const right = `component ${localization}, class ${identification}, action ${action}`;
  const { reason, truth } = full?.grade ?? {};
  return truth === undefined
    ? `Compared with the injected fault: ${right}`
    : `Injected was ${truth}: ${right}, ${reason} % of the steps grounded`;
}

/** "drift 30 (bound 6)"; the reference has the units. */
function figure({ atLeast, bound, name, value }: Measure): string {
  return `${name} ${atLeast ? '>= ' : ''}${value}${bound === undefined ? '' : ` (bound ${bound})`}`;
}

/** Complete diagnoses: the conclusion from the status, the rest from the evidence of the run. Pure. */
import type { ChaosDemoStatus } from '../api/index.ts';
import { type Diagnosis, type RunEvidence, type ScenarioEvidence, SIGNALS } from '../evidence/index.ts';
import { componentName, round, seconds } from './report/plot.ts';

export type ShownDiagnosis = ReturnType<typeof shownDiagnoses>[number];

/** @param evidence of the run */
export function shownDiagnoses({ diagnoses = [] }: ChaosDemoStatus, evidence: RunEvidence | undefined) {
  return diagnoses.map((diagnosis) => {
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
    return {
      ...diagnosis,
      /** The model that answered, as its server names it. */
      model: full?.model,
      /** The complete answer, with its steps; undefined: it is not in the evidence. */
      full,
      /** What the steps cite. */
      citations,
    };
  });
}

/**
 * What the steps of a diagnosis cite, in short, as the history of its scenario has it: each once, in the order of the
 * steps. None of what the history lacks, or another version names otherwise.
 */
function citationsOf({ chain, evidenceVersion }: Diagnosis, scenario: ScenarioEvidence) {
  if (evidenceVersion !== scenario.bundle.version) return [];
  const cited = new Set(chain.flatMap(({ evidence }) => evidence));
  return [...cited].flatMap((id) => {
    const text = citedText(scenario, id);
    return text === undefined ? [] : [{ id, text }];
  });
}

/** "store (cache-0) write-outstanding: 150 ms at +0.15 s, most 9748 at +9.75 s". */
function citedText(scenario: ScenarioEvidence, id: string): string | undefined {
  const { events, invariant, series } = scenario.bundle;
  const one = series.find((each) => each.id === id);
  if (one) {
    const { component, points, signal } = one;
    const [first, last] = [points[0], points.at(-1)];
    const most = points.reduce((a, b) => (b[1] > a[1] ? b : a), points[0] ?? [0, 0]);
    const parts = [first && `${round(first[1])} ${SIGNALS[signal].unit} at ${seconds(first[0])}`];
    if (most !== first && most !== last) parts.push(`most ${round(most[1])} at ${seconds(most[0])}`);
    if (last && last !== first) parts.push(`last ${round(last[1])} at ${seconds(last[0])}`);
    return `${componentName(scenario, component)} ${signal}: ${parts.join(', ')}`;
  }
  const event = events.find((each) => each.id === id);
  if (event) return `${seconds(event.atMs)} ${componentName(scenario, event.component)}: ${event.text}`;
  const judged = invariant?.values.find((each) => each.id === id);
  return judged && `${judged.name} = ${round(judged.value)}`;
}

/** ", 80 % sure", by the profile; '' without the evidence. */
export function sureText({ full }: Pick<ShownDiagnosis, 'full'>): string {
  return full ? `, ${full.confidence} % sure` : '';
}

/**
 * The advice about the cause. There is none about a fault that this run injected: only whether the cause is that fault,
 * which the evidence has. Undefined: it is not known.
 */
export function adviceSentence({ full, recommendation }: Partial<ShownDiagnosis>): string | undefined {
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

/** Presents a checked answer to people: with its citations, and a recommendation in a sentence. Pure. */
import { printable, truncate } from '../api/index.ts';
import {
  DIAGNOSIS_LIMITS,
  type Diagnosis,
  type DiagnosisGrade,
  type EvidenceBundle,
} from '../evidence/index.ts';
import { ACTIONS, type Action, type AnomalyClass, CLASSES, type DiagnosisAnswer } from './answer.ts';
import { NO_COMPONENT } from './check-answer.ts';
import { gradeAnswer, type Truth, truthText } from './grade.ts';

export type Pods = readonly { readonly component: string; readonly pod: string }[];

/** Facts about an answer that it does not contain. */
export interface AnswerSource {
  readonly scenario: string;
  readonly provider: string;
  readonly profile: string;
  readonly promptVersion: string;
  readonly model?: string | undefined;
  /** Names of components with the pods behind them. */
  readonly pods?: Pods | undefined;
}

/** The recommendation for an action, without any text of the provider. At most 256 characters. */
export function recommendationOf(action: Action, anomaly: AnomalyClass, component: string): string {
  const at = component === NO_COMPONENT ? '' : ` (${component})`;
  const what = `${ACTIONS[action].charAt(0).toUpperCase()}${ACTIONS[action].slice(1)}${action === 'none' ? '' : at}.`;
  // Waiting is the weakest action, so the advice comes first.
  const { advice } = CLASSES[anomaly];
  const parts = action === 'wait' ? [advice, what] : [what, advice];
  return truncate(parts.join(' ').trim(), 256);
}

/** The complete diagnosis. The answer has passed its check; all else is bounded here. */
export function diagnosisOf(
  { action, alternatives, anomaly, chain, component, confidence }: DiagnosisAnswer,
  bundle: EvidenceBundle,
  { model, pods = [], profile, promptVersion, provider, scenario }: AnswerSource,
): Diagnosis {
  const pod = pods.find((candidate) => candidate.component === component)?.pod;
  const cited = [...new Set(chain.flatMap(({ evidence }) => evidence))];
  return {
    scenario: truncate(scenario, 32),
    class: anomaly,
    component,
    ...(pod !== undefined && { pod: truncate(pod, 253) }),
    chain: chain.map(({ evidence, text }) => ({ text, evidence: [...new Set(evidence)] })),
    citations: cited
      .slice(0, DIAGNOSIS_LIMITS.citations)
      .map((id) => ({ id, text: shown(citedText(bundle, id, pods), DIAGNOSIS_LIMITS.citationText) })),
    action,
    recommendation: recommendationOf(action, anomaly, component),
    confidence: Math.round(confidence * 100),
    alternatives: alternatives.map((other) => ({ class: other.anomaly, component: other.component })),
    provider: shown(provider, 64),
    profile: shown(profile, 63),
    ...(model !== undefined && model !== '' && { model: shown(model, 128) }),
    promptVersion: shown(promptVersion, 32),
    evidenceVersion: bundle.version,
  };
}

function shown(text: string, most: number): string {
  return truncate(printable(text), most);
}

export function gradeText(
  answer: DiagnosisAnswer,
  truths: readonly Truth[],
  bundle: EvidenceBundle,
): DiagnosisGrade {
  const { action, identification, localization, reason } = gradeAnswer(answer, bundle, truths);
  const word = (right: boolean): 'Right' | 'Wrong' => (right ? 'Right' : 'Wrong');
  return {
    localization: word(localization),
    identification: word(identification),
    reason: Math.round(reason * 100),
    action: word(action),
    truth: truncate(truthText(truths, bundle), 128),
  };
}

/** A citation in short: "store (cache-0) write-outstanding: 150 ms at +0.15 s, most 9748 at +9.75 s". */
export function citedText(
  { events, invariant, series }: EvidenceBundle,
  id: string,
  pods: Pods = [],
): string {
  const named = (component: string): string => {
    const pod = pods.find((candidate) => candidate.component === component)?.pod;
    return pod === undefined ? component : `${component} (${pod})`;
  };
  const one = series.find((s) => s.id === id);
  if (one) {
    const { component, points, signal, unit } = one;
    const [first, last] = [points[0], points.at(-1)];
    const most = points.reduce((a, b) => (b[1] > a[1] ? b : a), points[0] ?? [0, 0]);
    const parts = [first && `${value(first[1])} ${unit} at ${moment(first[0])}`];
    if (most !== first && most !== last) parts.push(`most ${value(most[1])} at ${moment(most[0])}`);
    if (last !== first) parts.push(`last ${value(last?.[1] ?? 0)} at ${moment(last?.[0] ?? 0)}`);
    return `${named(component)} ${signal}: ${parts.join(', ')}`;
  }
  const event = events.find((e) => e.id === id);
  if (event) return `${moment(event.atMs)} ${named(event.component)}: ${event.text}`;
  const judged = invariant?.values.find((v) => v.id === id);
  return judged ? `${judged.name} = ${value(judged.value)}` : id;
}

function value(number: number): string {
  return String(Math.round(number * 10) / 10);
}

function moment(ms: number): string {
  return `${ms < 0 ? '-' : '+'}${(Math.abs(ms) / 1000).toFixed(2)} s`;
}

/** Presents a checked answer to people: with its grade, and a recommendation in a sentence. Pure. */
import { printable, truncate } from '../api/index.ts';
import type { Diagnosis } from '../evidence/index.ts';
import {
  ACTIONS,
  type Action,
  type AnomalyClass,
  CLASSES,
  type DiagnosisAnswer,
  NO_COMPONENT,
} from './answer.ts';
import { gradeAnswer } from './grade.ts';
import type { DiagnosisRequest } from './provider.ts';

/** The complete diagnosis, with its origin. The answer has passed its check; all else is bounded here. */
export function diagnosisOf(
  answer: DiagnosisAnswer,
  { bundle, pods, scenario, truth }: DiagnosisRequest,
  {
    model = '',
    profile,
    promptVersion,
    provider,
  }: Pick<Diagnosis, 'profile' | 'promptVersion' | 'provider'> & {
    readonly model: string | undefined;
  },
): Diagnosis {
  const { action, alternatives, anomaly, chain, component, confidence } = answer;
  const pod = pods.find((candidate) => candidate.component === component)?.pod;
  // A provider does not know of a fault in the store: its advice is to find that, or a cause that only looks like it.
  const isInStore = bundle.components.some(
    ({ name, role }) => role === 'store' && truth.some(({ components }) => components.includes(name)),
  );
  return {
    scenario: truncate(scenario, 32),
    class: anomaly,
    component,
    ...(pod !== undefined && { pod: truncate(pod, 253) }),
    chain: chain.map(({ evidence, text }) => ({ text, evidence: [...new Set(evidence)] })),
    action,
    ...(!isInStore && { recommendation: recommendationOf(action, anomaly, component) }),
    confidence: Math.round(confidence * 100),
    alternatives: alternatives.map((other) => ({ class: other.anomaly, component: other.component })),
    provider: shown(provider, 64),
    profile: shown(profile, 63),
    ...(model !== '' && { model: shown(model, 128) }),
    promptVersion: shown(promptVersion, 32),
    evidenceVersion: bundle.version,
    grade: gradeAnswer(answer, bundle, truth),
  };
}

/** The recommendation for an action, without any text of the provider. At most 256 characters. */
function recommendationOf(action: Action, anomaly: AnomalyClass, component: string): string {
  const at = component === NO_COMPONENT ? '' : ` (${component})`;
  const what = `${ACTIONS[action].charAt(0).toUpperCase()}${ACTIONS[action].slice(1)}${action === 'none' ? '' : at}.`;
  // Waiting is the weakest action, so the advice comes first.
  const { advice } = CLASSES[anomaly];
  const parts = action === 'wait' ? [advice, what] : [what, advice];
  return truncate(parts.join(' ').trim(), 256);
}

function shown(text: string, most: number): string {
  return truncate(printable(text), most);
}

/** Presents a checked answer to people: with its grade, and a recommendation in a sentence. Pure. */
import { truncate } from '../api/index.ts';
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

/** The complete diagnosis, with its origin. The answer has passed its check. */
export function diagnosisOf(
  answer: DiagnosisAnswer,
  { bundle, pods, scenario, truth }: DiagnosisRequest,
  origin: Pick<Diagnosis, 'model' | 'profile' | 'promptVersion' | 'provider'>,
): Diagnosis {
  const { action, alternatives, anomaly, chain, component, confidence } = answer;
  const pod = pods.find((candidate) => candidate.component === component)?.pod;
  // A provider does not know of a fault in the store: its advice is to find that, or a cause that only looks like it.
  const isInStore = bundle.components.some(
    ({ name, role }) => role === 'store' && truth.some(({ components }) => components.includes(name)),
  );
  return {
    scenario,
    class: anomaly,
    component,
    ...(pod !== undefined && { pod }),
    chain: chain.map(({ evidence, text }) => ({ text, evidence: [...new Set(evidence)] })),
    action,
    ...(!isInStore && { recommendation: recommendationOf(action, anomaly, component) }),
    confidence: Math.round(confidence * 100),
    alternatives: alternatives.map((other) => ({ class: other.anomaly, component: other.component })),
    ...origin,
    evidenceVersion: bundle.version,
    grade: gradeAnswer(answer, bundle, truth),
  };
}

/** The recommendation for an action, without any text of the provider. At most 256 characters. */
function recommendationOf(action: Action, anomaly: AnomalyClass, component: string): string {
  // "Change how the replicas decide" names its place.
  const at = component === NO_COMPONENT || ACTIONS[action].includes(component) ? '' : ` (${component})`;
  const what = `${ACTIONS[action].charAt(0).toUpperCase()}${ACTIONS[action].slice(1)}${action === 'none' ? '' : at}.`;
  // Waiting is the weakest action, so the advice comes first.
  const { advice } = CLASSES[anomaly];
  const parts = action === 'wait' ? [advice, what] : [what, advice];
  return truncate(parts.join(' ').trim(), 256);
}

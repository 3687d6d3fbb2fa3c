/**
 * Grades an answer against the known truth: the component (localization), the class (identification), and whether the
 * action fits. The truth never reaches the provider. Pure.
 */
import { truncate } from '../api/index.ts';
import type { DiagnosisGrade, EvidenceBundle } from '../evidence/index.ts';
import { ALL_REPLICAS, type AnomalyClass, CLASSES, type DiagnosisAnswer, NO_COMPONENT } from './answer.ts';

/** One known fault and its location. The truth of a run is a list of these; an empty one: nothing was wrong. */
export interface Truth {
  readonly anomaly: Exclude<AnomalyClass, 'none' | 'unknown'>;
  /** Names in the bundle; several: the fault is in all of them alike. */
  readonly components: readonly string[];
}

const HEALTHY = { anomaly: 'none', components: [NO_COMPONENT] } as const;

/** The grade of an answer that has passed its check. */
export function gradeAnswer(
  { action, anomaly, component }: DiagnosisAnswer,
  bundle: EvidenceBundle,
  truths: readonly Truth[],
): DiagnosisGrade {
  const all: readonly (Truth | typeof HEALTHY)[] = truths.length > 0 ? truths : [HEALTHY];
  const there = all.filter((one) => isLocatedIn(component, one, bundle));
  // An action that fits one of two failures may be wrong for the component of the other.
  const fitting = (there.length > 0 ? there : all).flatMap(
    (one): readonly string[] => CLASSES[one.anomaly].actions,
  );
  return {
    localization: word(there.length > 0),
    identification: word(there.some((one) => one.anomaly === anomaly)),
    action: word(fitting.includes(action)),
    truth: truncate(truthText(truths, bundle), 128),
  };
}

function word(right: boolean): 'Right' | 'Wrong' {
  return right ? 'Right' : 'Wrong';
}

/** For a fault in all replicas, both "replicas" and each replica are right; for a fault in one, only that one. */
function isLocatedIn(
  component: string,
  { components }: Pick<Truth, 'components'>,
  bundle: EvidenceBundle,
): boolean {
  if (component !== ALL_REPLICAS) return components.includes(component);
  const replicas = bundle.components.filter(({ role }) => role === 'replica');
  return replicas.length > 0 && replicas.every(({ name }) => components.includes(name));
}

/** The faults, for people: "store-writes-stalled at store". */
function truthText(truths: readonly Truth[], bundle: EvidenceBundle): string {
  const replicas = bundle.components.filter(({ role }) => role === 'replica').length;
  const where = ({ components }: Truth): string =>
    components.length === replicas && replicas > 1 ? ALL_REPLICAS : components.join(', ');
  return truths.map((truth) => `${truth.anomaly} at ${where(truth)}`).join('; ') || 'none';
}

/**
 * Grades an answer against the known truth: the component (localization), the class (identification), whether each step
 * cites evidence that shows it (reason), and whether the action fits. The truth never reaches the provider. Pure.
 */
import type { EvidenceBundle, Signal } from '../evidence/index.ts';
import { type AnomalyClass, CLASSES, type Claim, type DiagnosisAnswer } from './answer.ts';
import { ALL_REPLICAS, NO_COMPONENT } from './check-answer.ts';

/** One known fault and its location. The truth of a run is a list of these; an empty one: nothing was wrong. */
export interface Truth {
  readonly anomaly: Exclude<AnomalyClass, 'none' | 'unknown'>;
  /** Names in the bundle; several: the fault is in all of them alike. */
  readonly components: readonly string[];
  /** When it was active, in milliseconds since the origin of the bundle; default: the time range of the bundle. */
  readonly fromMs?: number;
  readonly toMs?: number;
}

export interface Grade {
  /** Whether it names a faulty component, or none if nothing was wrong. */
  readonly localization: boolean;
  /** Whether it names the right class for a component in which that class lies. */
  readonly identification: boolean;
  /** Share of steps that cite evidence of the fault, from 0 to 1. */
  readonly reason: number;
  /** Whether the action fits the fault in the component it names, if there is one. */
  readonly action: boolean;
  /** The share of all faults that it names, first or among the alternatives; 1 if nothing was wrong. */
  readonly found: number;
}

/**
 * What shows a class: signals, each after `own` if it is of a faulty component, or after the role of its component. A
 * step that cites none of them is unsupported.
 */
const SHOWN_BY: Readonly<Record<Truth['anomaly'], RegExp>> = {
  'store-writes-stalled': /^(own (write-|read-|unreachable)|(store|replica) count-)/,
  'store-connections-broken':
    /^(own (write-|read-|unreachable|connections-)|(store|replica) count-|replica (requests?|others|admitted|newcomer)-)/,
  'store-unreachable': /^(own (write-|read-|unreachable)|(store|replica) count-)/,
  // What is admitted again shows a lost count.
  'store-restarted':
    /^(own (write-|read-|unreachable)|(store|replica) count-|replica (requests|newcomer)-admitted)/,
  'store-slow': /^(own (write-|read-|unreachable)|(store|replica) count-)/,
  // The other replicas are the comparison.
  'replica-unreachable': /^replica (unreachable|count-|(requests?|others|admitted|newcomer)-)/,
  'replica-slow': /^replica (request-latency|requests-timeouts|others-timeouts|unreachable)/,
  'replica-cut-off': /^(store|replica (count-|(requests?|others|admitted|newcomer)-))/,
  'limit-not-enforced': /^(replica (count-|requests-(sent|admitted|rejected))|client limit)/,
  'uncoordinated-admission':
    /^((store|replica) count-|replica (requests-(sent|admitted|rejected)|arrivals|request-latency)|client limit|store write-latency)/,
};

/** Tolerance before and after the anomaly for the evidence of a step: probes of it come late. Milliseconds. */
const TOLERANCE_MS = 1000;

/** The grade of an answer that has passed its check. */
export function gradeAnswer(
  answer: DiagnosisAnswer,
  bundle: EvidenceBundle,
  truths: readonly Truth[],
): Grade {
  if (truths.length === 0) {
    const right = answer.anomaly === 'none';
    return {
      localization: answer.component === NO_COMPONENT,
      identification: right,
      reason: right ? 1 : 0,
      action: fits(answer, 'none'),
      found: 1,
    };
  }
  const named = [answer, ...answer.alternatives];
  const isNamed = (truth: Truth, { anomaly, component }: (typeof named)[number]): boolean =>
    anomaly === truth.anomaly && isLocatedIn(component, truth, bundle);
  // An action that fits one of two failures may be wrong for the component of the other.
  const there = truths.filter((truth) => isLocatedIn(answer.component, truth, bundle));
  const steps = answer.chain.filter((step) => truths.some((truth) => citesEvidenceOf(step, truth, bundle)));
  return {
    localization: there.length > 0,
    identification: truths.some((truth) => isNamed(truth, answer)),
    reason: steps.length / answer.chain.length,
    action: (there.length > 0 ? there : truths).some(({ anomaly }) => fits(answer, anomaly)),
    found: truths.filter((truth) => named.some((one) => isNamed(truth, one))).length / truths.length,
  };
}

function fits({ action }: DiagnosisAnswer, anomaly: AnomalyClass): boolean {
  return CLASSES[anomaly].actions.some((fitting) => fitting === action);
}

/** For a fault in all replicas, both "replicas" and each replica are right; for a fault in one, only that one. */
function isLocatedIn(component: string, { components }: Truth, bundle: EvidenceBundle): boolean {
  if (component !== ALL_REPLICAS) return components.includes(component);
  const replicas = bundle.components.filter(({ role }) => role === 'replica');
  return replicas.length > 0 && replicas.every(({ name }) => components.includes(name));
}

/** Whether a step cites at least one piece of evidence of this fault: its signals, at their location, at its time. */
function citesEvidenceOf({ evidence }: Claim, truth: Truth, bundle: EvidenceBundle): boolean {
  const { events, invariant, series } = bundle;
  const from = (truth.fromMs ?? -Infinity) - TOLERANCE_MS;
  const to = (truth.toMs ?? Infinity) + TOLERANCE_MS;
  const roles = new Map(bundle.components.map(({ name, role }) => [name, role]));
  const isRelevant = (component: string, signal: Signal): boolean =>
    [roles.get(component), truth.components.includes(component) ? 'own' : ''].some((place) =>
      SHOWN_BY[truth.anomaly].test(`${place} ${signal}`),
    );
  return evidence.some((id) => {
    // The limit and the usual values also apply before.
    const one = series.find((s) => s.id === id);
    if (one) {
      const standing = one.signal === 'limit' || one.signal === 'count-lag';
      return isRelevant(one.component, one.signal) && (standing || overlaps(one.points, from, to));
    }
    const event = events.find((e) => e.id === id);
    if (event) return truth.components.includes(event.component) && event.atMs >= from && event.atMs <= to;
    // The broken invariant is the consequence of every fault.
    return invariant?.broken === true && invariant.values.some((value) => value.id === id);
  });
}

function overlaps(points: readonly (readonly [number, number])[], from: number, to: number): boolean {
  const [first, last] = [points[0], points.at(-1)];
  return first !== undefined && last !== undefined && first[0] <= to && last[0] >= from;
}

/** The faults, for people: "store-writes-stalled at store". */
export function truthText(truths: readonly Truth[], bundle: EvidenceBundle): string {
  const replicas = bundle.components.filter(({ role }) => role === 'replica').length;
  const where = ({ components }: Truth): string =>
    components.length === replicas && replicas > 1 ? ALL_REPLICAS : components.join(', ');
  return truths.map((truth) => `${truth.anomaly} at ${where(truth)}`).join('; ') || 'none';
}

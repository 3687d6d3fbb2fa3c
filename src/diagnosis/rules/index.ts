/**
 * A provider that follows rules: the same evidence gives the same answer. The rules know replicas, a store that these
 * share, counts and requests, but not their purpose: they ignore names and sentences of a bundle. Their answer is
 * checked as any other.
 */

import { span } from '../../api/index.ts';
import type { EvidenceBundle } from '../../evidence/index.ts';
import { ANSWER_LIMITS, type DiagnosisAnswer } from '../answer.ts';
import { ALL_REPLICAS, NO_COMPONENT } from '../check-answer.ts';
import type { DiagnosisProvider } from '../provider.ts';
import { countFindings } from './count-rules.ts';
import { claim, type Finding, requests } from './finding.ts';
import { idsOf, largest, Measurements } from './measurements.ts';
import { replicaFindings } from './replica-rules.ts';
import { storeFindings } from './store-rules.ts';

/** Changes with the conclusions of the rules. */
export const RULES_VERSION = 'rules/v7';

/** Two effects this close together are simultaneous to the probes, in milliseconds. */
const SIMULTANEOUS_MS = 300;

/** Diagnosis by rules. Deterministic; makes no requests. */
export const rulesProvider: DiagnosisProvider = {
  name: 'rules',
  async answer(bundle) {
    return { answer: explain(bundle), promptVersion: RULES_VERSION };
  },
};

/**
 * The diagnosis of a bundle by rules. Pure.
 * @throws if the bundle has no observation that a claim could cite
 */
export function explain(bundle: EvidenceBundle): DiagnosisAnswer {
  const measurements = new Measurements(bundle);
  const ofStore = storeFindings(measurements);
  const storeFailsFrom = ofStore.reduce((from, { onsetMs }) => Math.min(from, onsetMs), Infinity);
  const found = [
    ...ofStore,
    ...replicaFindings(measurements, ofStore.length === 0),
    ...countFindings(measurements, storeFailsFrom),
  ];
  const [first, ...others] = ranked(withoutDuplicates(found), measurements);
  if (!first) return nothingFound(measurements);
  return {
    anomaly: first.anomaly,
    component: first.component,
    chain: [...first.chain, ...others.flatMap(({ chain }) => chain.slice(0, 1))].slice(
      0,
      ANSWER_LIMITS.chain,
    ),
    action: first.action,
    confidence: first.confidence,
    alternatives: others
      .map(({ anomaly, component }) => ({ anomaly, component }))
      .slice(0, ANSWER_LIMITS.alternatives),
  };
}

/** Two rules may report the same fault differently: the more confident one stays. */
function withoutDuplicates(found: readonly Finding[]): Finding[] {
  return found.filter(
    (finding, i) =>
      finding.chain.length > 0 &&
      !found.some(
        (other, j) =>
          other.anomaly === finding.anomaly &&
          other.component === finding.component &&
          (other.confidence > finding.confidence || (other.confidence === finding.confidence && j < i)),
      ),
  );
}

/** Causes before their consequences; then findings related to the broken invariant; then the earliest. */
function ranked(found: readonly Finding[], { invariant }: Measurements): Finding[] {
  const isConsequence = (finding: Finding): boolean =>
    found.some(
      (other) =>
        other !== finding &&
        other.consequences.includes(finding.anomaly) &&
        other.onsetMs <= finding.onsetMs + SIMULTANEOUS_MS &&
        !isRootCause(finding),
    );
  const rank = (finding: Finding): number => {
    if (isConsequence(finding)) return 3;
    if (isRootCause(finding)) return 0;
    // A slow or silent replica admits less, not more.
    const cannotOverAdmit = finding.anomaly === 'replica-slow' || finding.anomaly === 'replica-unreachable';
    return invariant?.broken && cannotOverAdmit ? 2 : 1;
  };
  return found.toSorted((a, b) => rank(a) - rank(b) || a.onsetMs - b.onsetMs);
}

/** A replica that exceeds the limit by its own count, unlike the others, has no other cause. */
function isRootCause({ anomaly, component }: Finding): boolean {
  return anomaly === 'limit-not-enforced' && component !== ALL_REPLICAS;
}

function nothingFound(measurements: Measurements): DiagnosisAnswer {
  const { invariant, limit, store } = measurements;
  const [reads, writes] = [measurements.of('read-latency', store), measurements.of('write-latency', store)];
  const allowed = measurements.total('requests-admitted');
  const counted = measurements.total('count-local');
  const values = invariant?.values.map(({ id }) => id) ?? [];
  const stored = measurements.last('count-stored', store);
  const broken = invariant?.broken === true;
  const chain = [
    ...claim(
      broken
        ? `What must hold does not: ${invariant.formula}; and no component shows a failure that explains it.`
        : `What must hold does: ${invariant?.formula ?? ''}.`,
      values,
    ),
    ...claim(
      `The store answered reads within ${span(largest(reads)?.value ?? 0)} and accepted writes within ${span(largest(writes)?.value ?? 0)}.`,
      idsOf([...reads, ...writes]),
    ),
    ...claim(
      `${requests(allowed.value)} ${allowed.value === 1 ? 'was' : 'were'} allowed${limit ? ` where ${limit.value} may be` : ''}, by replicas that all answered.`,
      [...allowed.ids, ...idsOf([limit])],
    ),
    ...claim(
      `The replicas have counted ${counted.value}, and the store holds ${stored?.value ?? 'nothing'}.`,
      [...counted.ids, ...idsOf([stored])],
    ),
  ];
  if (chain.length === 0) throw new Error('nothing was seen that could be explained');
  return {
    anomaly: broken ? 'unknown' : 'none',
    component: NO_COMPONENT,
    chain: chain.slice(0, ANSWER_LIMITS.chain),
    action: broken ? 'wait' : 'none',
    confidence: broken ? 0.3 : allowed.ids.length > 0 ? 0.9 : 0.6,
    alternatives: [],
  };
}

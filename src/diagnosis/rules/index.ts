/**
 * A provider that follows rules: the same evidence gives the same answer. The rules know replicas, a store that these
 * share, counts and requests, but not their purpose: they ignore names and sentences of a bundle. Their answer is
 * checked as any other.
 */
import { DIAGNOSIS_LIMITS, type EvidenceBundle } from '../../evidence/index.ts';
import { CLASSES, type DiagnosisAnswer } from '../answer.ts';
import type { DiagnosisProvider } from '../provider.ts';
import { Measurements } from './measurements.ts';
import { type Finding, nothingFound, RULES } from './table.ts';

/** Changes with the conclusions of the rules. */
export const RULES_VERSION = 'rules/v11';

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
  const { store } = measurements;
  const found: Finding[] = [];
  for (const rule of RULES) {
    const ofStore = found.filter(({ component }) => component === store);
    const findings = rule(measurements, Math.min(...ofStore.map(({ from }) => from)));
    found.push(...findings.filter((one) => !found.some((other) => isCovered(one, other, measurements))));
  }
  const [first = nothingFound(measurements), ...others] = ranked(found, measurements);
  const { anomaly, chain, component, confidence } = first;
  if (chain.length === 0) throw new Error('nothing was seen that could be explained');
  return {
    anomaly,
    component,
    chain: [...chain, ...others.flatMap((other) => other.chain.slice(0, 1))].slice(0, DIAGNOSIS_LIMITS.chain),
    action: CLASSES[anomaly].actions[0],
    confidence,
    alternatives: others
      .map((other) => ({ anomaly: other.anomaly, component: other.component }))
      .slice(0, DIAGNOSIS_LIMITS.alternatives),
  };
}

/** Whether an earlier rule reports the same, or a fault of the store that covers most of this one. */
function isCovered(finding: Finding, other: Finding, { endMs, store }: Measurements): boolean {
  if (finding.component !== other.component) return false;
  const { from, to = endMs } = finding;
  const common = Math.min(to, other.to ?? endMs) - Math.max(from, other.from);
  return finding.anomaly === other.anomaly || (finding.component === store && common > 0.5 * (to - from));
}

/**
 * Causes before their consequences: a rule explains what begins no sooner, and is found by a later rule. Then findings
 * related to the broken invariant; then the earliest.
 */
function ranked(found: readonly Finding[], { invariant }: Measurements): Finding[] {
  const rank = (finding: Finding): number => {
    // A replica that exceeds the limit by its own count, unlike the others, has no other cause.
    if (finding.anomaly === 'limit-not-enforced') return 0;
    const causes = found.slice(0, found.indexOf(finding));
    if (causes.some(({ from }) => from <= finding.from + SIMULTANEOUS_MS)) return 3;
    // A slow or silent replica admits less, not more.
    const admitsLess = finding.anomaly === 'replica-slow' || finding.anomaly === 'replica-unreachable';
    return invariant?.broken && admitsLess ? 2 : 1;
  };
  return found.toSorted((a, b) => rank(a) - rank(b) || a.from - b.from);
}

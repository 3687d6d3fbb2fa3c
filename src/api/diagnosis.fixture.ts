/** A diagnosis as a status holds it, for tests. */
import type { DiagnosisStatus } from './status.ts';

/** One of the scenario `stall` by the rules, with these changes. */
export function diagnosisWith(changes: Partial<DiagnosisStatus> = {}): DiagnosisStatus {
  return {
    scenario: 'stall',
    anomaly: 'store-restarted',
    component: 'store',
    chain: [],
    evidence: [],
    action: 'reset-counter',
    recommendation: 'Reset it.',
    confidence: 80,
    provider: 'rules',
    profile: 'rules',
    promptVersion: 'rules/v2',
    evidenceVersion: 'evidence/v1',
    ...changes,
  };
}

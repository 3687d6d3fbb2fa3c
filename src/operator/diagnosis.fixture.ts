import type { DiagnosisStatus } from '../api/index.ts';

/** What the rules say of a slow store. */
export const diagnosis: DiagnosisStatus = {
  scenario: 'stall',
  anomaly: 'store-slow',
  component: 'store',
  chain: [],
  evidence: [],
  action: 'wait',
  recommendation: 'Wait.',
  confidence: 80,
  provider: 'rules',
  profile: 'rules',
  promptVersion: 'rules/v2',
  evidenceVersion: 'evidence/v1',
};

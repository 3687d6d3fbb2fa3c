/** Everything that other parts use of evidence. */
export {
  COMPONENT_ROLES,
  type ComponentRole,
  EVIDENCE_LIMITS,
  EVIDENCE_VERSION,
  type EvidenceBundle,
  type EvidenceComponent,
  type EvidenceEvent,
  type EvidenceInvariant,
  type EvidenceSeries,
  evidenceBundle,
  evidenceIds,
  SIGNALS,
  type Signal,
} from './bundle.ts';
export {
  type EvidenceBand,
  RUN_EVIDENCE_BYTES,
  RUN_EVIDENCE_VERSION,
  type RunEvidence,
  runEvidence,
  type ScenarioEvidence,
} from './run-evidence.ts';

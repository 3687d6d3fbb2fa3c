/** The interface of this folder. */
export {
  type ComponentRole,
  EVIDENCE_LIMITS,
  EVIDENCE_VERSION,
  type EvidenceBundle,
  type EvidenceComponent,
  type EvidenceSeries,
  evidenceBundle,
  evidenceIds,
  SIGNALS,
  type Signal,
} from './bundle.ts';
export {
  type Draw,
  diagnosisData,
  evidenceLabels,
  evidenceName,
  type ReadEvidence,
  readRunEvidence,
  runData,
} from './config-map.ts';
export { DIAGNOSIS_LIMITS, type Diagnosis, type DiagnosisGrade } from './diagnosis.ts';
export { HISTORY_BYTES, HistoryPieces, historiesIn } from './history-data.ts';
export { EvidenceRecorder, type SeenInvariant } from './recorder.ts';
export {
  type FaultEvidence,
  RUN_EVIDENCE_VERSION,
  type RunEvidence,
  type RunPart,
  type ScenarioEvidence,
} from './run-evidence.ts';
export { firstObservationMs, relativeToFirst } from './shifted.ts';
export { MIN_POINTS, type Point, thin, thinned } from './thin.ts';

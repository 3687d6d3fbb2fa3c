/** Everything that other parts use to have observations explained. */
export {
  ACTIONS,
  type Action,
  ANOMALY_CLASSES,
  ANSWER_LIMITS,
  type AnomalyClass,
  actions,
  anomalyClasses,
  type Claim,
  type DiagnosisAnswer,
  diagnosisAnswer,
} from './answer.ts';
export {
  ALL_REPLICAS,
  answerComponents,
  type CheckedAnswer,
  checkAnswer,
  NO_COMPONENT,
  rejectionText,
} from './check-answer.ts';
export {
  createDiagnosisProfiles,
  type DiagnosisProfiles,
  type DiagnosisProvider,
  type DiagnosisRequest,
  type DiagnosisResult,
  type ProviderAnswer,
  type ProviderUsage,
} from './provider.ts';
export { rulesProvider } from './rules.ts';

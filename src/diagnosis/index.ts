/** The interface of this folder. */
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
  FITTING_ACTIONS,
  type Grade,
  gradeAnswer,
  type Truth,
  truthText,
} from './grade.ts';
export {
  createDiagnosisProfiles,
  type DiagnosisProfiles,
  PROVIDER_TIMEOUT_MS,
  type ProviderResult,
  type QueryRecord,
  queryProvider,
} from './profiles.ts';
export type {
  DiagnosisProvider,
  DiagnosisRequest,
  DiagnosisResult,
  ProviderAnswer,
  ProviderUsage,
} from './provider.ts';
export { citedText, diagnosisOf, gradeText, type Pods, recommendationOf } from './render.ts';
export { RULES_VERSION, rulesProvider } from './rules/index.ts';

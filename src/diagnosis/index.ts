/** The interface of this folder. */
export { type Action, type AnomalyClass, actions, anomalyClasses, type DiagnosisAnswer } from './answer.ts';
export { checkAnswer } from './check-answer.ts';
export { gradeAnswer, type Truth } from './grade.ts';
export type { ModelProfile as DiagnosisProfile } from './models/profiles.ts';
export { createDiagnosisProfiles, type DiagnosisProfiles, queryProvider } from './profiles.ts';
export type { DiagnosisProvider } from './provider.ts';
export { rulesProvider } from './rules/index.ts';

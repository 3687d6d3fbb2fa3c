/** Everything that other parts use to have observations explained. */
export { type Component, type ComponentRole, type Observation, SIGNALS, type Signal } from './observation.ts';
export {
  createDiagnosisProfiles,
  type DiagnosisProfiles,
  type DiagnosisProvider,
  type DiagnosisRequest,
  type DiagnosisResult,
} from './provider.ts';
export { rulesProvider } from './rules.ts';

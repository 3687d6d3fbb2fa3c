/** Everything that other parts use to have observations explained. */
export {
  createDiagnosisProfiles,
  type DiagnosisProfiles,
  type DiagnosisProvider,
  type DiagnosisRequest,
  type DiagnosisResult,
} from './provider.ts';
export { rulesProvider } from './rules.ts';

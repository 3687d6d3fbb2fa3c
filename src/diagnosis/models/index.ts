/** Models as providers. Import it only in the code that configures profiles, with `await import(...)`. */
import type { DiagnosisProvider } from '../provider.ts';
import { modelProvider } from './model-provider.ts';
import type { ModelProfile } from './profiles.ts';

export { readProfiles } from './read-profiles.ts';

/** Providers by the names of their profiles. */
export function providersOf(profiles: readonly ModelProfile[]): Record<string, DiagnosisProvider> {
  return Object.fromEntries(profiles.map((profile) => [profile.name, modelProvider(profile, Date.now)]));
}

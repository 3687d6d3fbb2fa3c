/** Models as providers. Import it only in the code that configures profiles, with `await import(...)`. */
import type { DiagnosisProvider } from '../provider.ts';
import { rulesProvider } from '../rules/index.ts';
import { modelProvider } from './model-provider.ts';
import type { ModelProfile } from './profiles.ts';

export { readProfiles } from './read-profiles.ts';

/** Providers by the names of their profiles, always with `rules`. */
export function providersOf(profiles: readonly ModelProfile[]): Record<string, DiagnosisProvider> {
  const models = profiles.map((profile) => [profile.name, modelProvider(profile, Date.now)] as const);
  return { rules: rulesProvider, ...Object.fromEntries(models) };
}

/** Who answers for each profile of a file, and for the profile `rules`, which is always there. */
import type { DiagnosisProvider } from '../provider.ts';
import { rulesProvider } from '../rules/index.ts';
import { modelProvider } from './model-provider.ts';
import type { DiagnosisProfile } from './profiles.ts';

/**
 * Providers by the names of their profiles.
 * @param now milliseconds since the epoch
 */
export function providersOf(
  profiles: readonly DiagnosisProfile[],
  now: () => number,
): Record<string, DiagnosisProvider> {
  const named = profiles.map((profile): [string, DiagnosisProvider] => [
    profile.name,
    profile.kind === 'rules' ? rulesProvider : modelProvider(profile, now),
  ]);
  return { rules: rulesProvider, ...Object.fromEntries(named) };
}

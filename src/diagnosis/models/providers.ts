/** Who answers for each profile of a file, and for the profile `rules`, which is always there. */
import type { DiagnosisProvider } from '../provider.ts';
import { rulesProvider } from '../rules/index.ts';
import { modelProvider } from './model-provider.ts';
import type { DiagnosisProfile } from './profiles.ts';
import { SpendingBook } from './spending-book.ts';

/**
 * Providers by the names of their profiles.
 * @param now milliseconds since the epoch
 * @param book what was used up of budgets; left out: nothing yet, and all is forgotten with the process
 */
export function providersOf(
  profiles: readonly DiagnosisProfile[],
  now: () => number,
  book = new SpendingBook({ now }),
): Record<string, DiagnosisProvider> {
  const named = profiles.map((profile): [string, DiagnosisProvider] => [
    profile.name,
    profile.kind === 'rules' ? rulesProvider : modelProvider(profile, book, now),
  ]);
  return { rules: rulesProvider, ...Object.fromEntries(named) };
}

import { UsageError } from '@chaosdemo/settings';

/**
 * The only candidate.
 * @param what is selected, in the singular
 * @throws UsageError with the candidates and the option to write
 */
export function onlyOne<T extends { readonly text: string }>(
  what: string,
  candidates: readonly T[],
  option: string,
): T {
  const [only] = candidates;
  if (only && candidates.length === 1) return only;
  const lines = candidates.map(({ text }) => `  ${text}`);
  throw new UsageError(
    `there are ${candidates.length} candidates for ${what}: write one in ${option}\n${lines.join('\n')}`,
  );
}

/** A question on a terminal before requests are sent, and the choice between candidates. */
import { createInterface } from 'node:readline/promises';
import { UsageError } from '@chaosdemo/settings';

/** @throws UsageError without a terminal */
export async function confirmed(question: string, signal: AbortSignal): Promise<boolean> {
  if (!process.stdin.isTTY) throw new UsageError('there is no terminal for a question: add --yes');
  // Standard output may be the file that is written.
  const questions = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(es)?$/i.test((await questions.question(`${question} [y/N] `, { signal })).trim());
  } finally {
    questions.close();
  }
}

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

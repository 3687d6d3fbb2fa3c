/** Questions on a terminal, before requests are sent or if there are several candidates. */
import { createInterface } from 'node:readline/promises';
import { terminalLine } from '../../api/index.ts';
import { UsageError } from '../../settings/settings.ts';

/** @throws UsageError without a terminal */
export async function confirmed(question: string, signal: AbortSignal): Promise<boolean> {
  if (!process.stdin.isTTY) throw new UsageError('there is no terminal for a question: add --yes');
  return /^y(es)?$/i.test(await answerTo(`${question} [y/N] `, signal));
}

/**
 * The only candidate, or the one that the user selects.
 * @param what is selected, in the singular
 * @throws UsageError without a terminal, or for a wrong number, with the option to write
 */
export async function chosen<T extends { readonly text: string }>(
  what: string,
  candidates: readonly T[],
  option: string,
  signal: AbortSignal,
): Promise<T> {
  const [only] = candidates;
  if (only && candidates.length === 1) return only;
  const lines = candidates.map(({ text }, i) => terminalLine(`  ${i + 1}  ${text}`));
  const list = `there are ${candidates.length} candidates for ${what}:\n${lines.join('\n')}\n`;
  if (!process.stdin.isTTY) throw new UsageError(`${list}Write one in ${option}`);
  const found = candidates[Number(await answerTo(`${list}Number of the ${what}: `, signal)) - 1];
  if (found) return found;
  throw new UsageError(`write a number from 1 to ${candidates.length}, or ${option}`);
}

/** Standard output may be the file that is written. */
async function answerTo(question: string, signal: AbortSignal): Promise<string> {
  const questions = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return (await questions.question(question, { signal })).trim();
  } finally {
    questions.close();
  }
}

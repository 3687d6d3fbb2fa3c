/** Makes text from a cluster safe for a terminal or the log of a pipeline. Its author may be hostile. */
import { printable, truncate } from './text.ts';

/** Maximum length of a line, in characters: more than any field of a status holds. */
const LONGEST_LINE = 2000;

/**
 * One harmless line: {@link printable}, of at most 2000 characters, and no command to a pipeline. GitHub takes
 * `::error::` at the start of a line for one, and `##[error]` anywhere in it; Azure `##vso[...]`. A space goes between
 * the two characters that begin it. Idempotent.
 */
export function terminalLine(text: string): string {
  const line = printable(text)
    .replace(/#(?=#)/g, '# ')
    .replace(/^(\s*):(?=:)/, '$1: ');
  return truncate(line, LONGEST_LINE).toWellFormed();
}

/** Several lines, each passed through {@link terminalLine}. For text with trusted line breaks. */
export function terminalLines(text: string): string {
  return text.split('\n').map(terminalLine).join('\n');
}

/** Text of a cluster on its way to a terminal or into the log of a pipeline. Whoever wrote it may have meant harm. */
import { printable, truncate } from './text.ts';

/** Longest line that is shown, in characters: more than any field of a status holds. */
const LONGEST_LINE = 2000;

/**
 * One line that does nothing but stand there: {@link printable}, of at most 2000 characters, and no command to a
 * pipeline. GitHub takes `::error::` at the start of a line for one, and `##[error]` anywhere in it; Azure
 * `##vso[...]`. A space goes between the two characters that begin it. The same when done again.
 */
export function terminalLine(text: string): string {
  const line = printable(text)
    .replace(/#(?=#)/g, '# ')
    .replace(/^(\s*):(?=:)/, '$1: ');
  return truncate(line, LONGEST_LINE).toWellFormed();
}

/** Several lines, each as {@link terminalLine} has it. For text whose line ends are ours. */
export function terminalLines(text: string): string {
  return text.split('\n').map(terminalLine).join('\n');
}

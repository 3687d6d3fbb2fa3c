/** The finding of a check of `doctor`, and its display. Pure. */
import { EXIT } from '../../exit-status.ts';

/**
 * `wrong` prevents a run; `note` is worth knowing but prevents nothing; `unknown`: the check could not run, usually
 * because the user lacks a permission.
 */
export type State = 'ok' | 'note' | 'wrong' | 'unknown';

/** The result of one check. */
export interface Finding {
  readonly check: string;
  readonly state: State;
  /** The finding and its object. */
  readonly message: string;
  /** Commands to fix it, in this order; none: the message has the advice. */
  readonly fixCommands?: readonly string[];
  /** A heading of docs/troubleshooting.md with details. */
  readonly reason?: string;
}

const MARKS: Readonly<Record<State, string>> = { ok: '✓', note: '•', wrong: '✗', unknown: '?' };

/** The findings as lines, each followed by its fix. */
export function findingLines(findings: readonly Finding[]): string[] {
  const width = Math.max(0, ...findings.map(({ check }) => check.length));
  return findings.flatMap(({ check, fixCommands = [], message, reason, state }) => [
    `${MARKS[state]} ${check.padEnd(width)}  ${message}`,
    ...fixCommands.map((command) => `${' '.repeat(width + 6)}${command}`),
    ...(reason !== undefined && state !== 'ok'
      ? [`${' '.repeat(width + 4)}More: docs/troubleshooting.md#${reason.toLowerCase()}`]
      : []),
  ]);
}

/** The exit status for the worst finding: a check that could not run is not a check that passed. */
export function exitOf(findings: readonly Finding[]): number {
  if (countOf(findings, 'wrong') > 0) return EXIT.found;
  return countOf(findings, 'unknown') > 0 ? EXIT.failed : EXIT.done;
}

function countOf(findings: readonly Finding[], state: State): number {
  return findings.filter((finding) => finding.state === state).length;
}

/** How many problems there are, and what to do. */
export function summaryOf(findings: readonly Finding[]): string {
  const unknown = countOf(findings, 'unknown');
  const rest = unknown === 0 ? '' : ` ${unknown} ${unknown === 1 ? 'check' : 'checks'} could not run.`;
  const wrong = countOf(findings, 'wrong');
  if (wrong === 0) return unknown === 0 ? 'No problem found.' : `No result:${rest}`;
  const fix = wrong === 1 ? 'One problem found. Fix it' : `${wrong} problems found. Fix them in this order`;
  return `${fix}, then run doctor again.${rest}`;
}

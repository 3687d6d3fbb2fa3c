/** Exit statuses of all programs. */

import { EXIT_USAGE } from '@chaosdemo/settings';
import type { ChaosDemo } from '../api/index.ts';

export const EXIT = {
  done: 0,
  /** A result is not as expected, or `doctor` found what prevents a run. */
  found: 1,
  /** The command failed, or there is no verdict. */
  failed: 2,
  usage: EXIT_USAGE,
  /** As sysexits' EX_DATAERR: the file is not a history. */
  data: 65,
  /** As sysexits' EX_NOINPUT: the file cannot be read. */
  noInput: 66,
  /** Stopped by Ctrl-C. */
  interrupted: 130,
} as const;

/** By phase. */
const EXIT_BY_PHASE: Readonly<Record<string, number>> = {
  Succeeded: 0,
  Failed: 1,
  Errored: 2,
  Aborted: 3,
};

/** Of a program that runs a demo. */
export function exitOfRun({ status }: Pick<ChaosDemo, 'status'>): number {
  return EXIT_BY_PHASE[status?.phase ?? ''] ?? EXIT.failed;
}

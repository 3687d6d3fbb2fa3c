/** What the programs for a terminal have in common: how they are stopped, and how they say what went wrong. */
import { LocalError } from '../local/errors.ts';

/** What the end of a demo is to a shell. */
export const EXIT_BY_PHASE: Readonly<Record<string, number>> = {
  Succeeded: 0,
  Failed: 1,
  Errored: 2,
  Aborted: 3,
};

const EXIT_USAGE = 64;
const EXIT_INTERRUPTED = 130;

/** The command line cannot be used; the message says why and what to write. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

export interface Program {
  /** Does the work; its signal aborts on Ctrl-C. Returns the exit status. */
  readonly main: (signal: AbortSignal) => Promise<number>;
  /** The command that prints its usage. */
  readonly help: string;
  /** Exit status where something did not work. */
  readonly failed: number;
  /** Called once on Ctrl-C or SIGTERM. */
  readonly onInterrupt?: () => void;
}

/** Runs it to its end and sets the exit status: that of `main`, `failed`, 64 for wrong usage, 130 when interrupted. */
export async function runProgram({ main, help, failed, onInterrupt }: Program): Promise<void> {
  const interrupted = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.once(name, () => {
      onInterrupt?.();
      interrupted.abort(new Error(`stopped by ${name}`));
    });
  }
  try {
    process.exitCode = await main(interrupted.signal);
  } catch (error) {
    if (interrupted.signal.aborted) {
      process.exitCode = EXIT_INTERRUPTED;
      return;
    }
    process.stderr.write(`\n${error instanceof Error ? error.message : String(error)}\n`);
    if (error instanceof LocalError) process.stderr.write(`${error.remedy}\n`);
    if (error instanceof UsageError) process.stderr.write(`See ${help}\n`);
    process.exitCode = error instanceof UsageError ? EXIT_USAGE : failed;
  }
}

/** What the programs for a terminal have in common: how they are stopped, and how they say what went wrong. */
import { messageOf, terminalLines } from '../api/index.ts';
import { LocalError } from '../local/errors.ts';
import {
  EXIT_USAGE,
  helpText,
  type Program,
  readSettings,
  type Settings,
  UsageError,
  type ValuesOf,
} from '../settings/settings.ts';
import { EXIT_INTERRUPTED, interruptedBy } from './interruption.ts';

/** How a program for a terminal is run. */
export interface Run<S extends Settings> {
  /** Does the work; its signal aborts on Ctrl-C. Returns the exit status. */
  readonly main: (settings: ValuesOf<S>, signal: AbortSignal) => Promise<number>;
  /** Exit status where something did not work. */
  readonly failed: number;
  /** Called once on Ctrl-C or SIGTERM. */
  readonly onInterrupt?: () => void;
}

/**
 * Reads its settings from `args`, runs it to its end, and sets the exit status: that of `main`, `failed`,
 * 64 for wrong usage, 130 when interrupted.
 */
export async function runProgram<S extends Settings>(
  program: Program<S>,
  { main, failed, onInterrupt }: Run<S>,
  args: readonly string[] = process.argv.slice(2),
): Promise<void> {
  const interrupted = interruptedBy(['SIGINT', 'SIGTERM'], onInterrupt);
  try {
    const settings = readSettings(program, args, process.env);
    if (settings === 'help') process.stdout.write(helpText(program));
    else process.exitCode = await main(settings, interrupted);
  } catch (error) {
    if (interrupted.aborted) {
      process.exitCode = EXIT_INTERRUPTED;
      return;
    }
    const message = messageOf(error);
    process.stderr.write(`\n${terminalLines(message)}\n`);
    if (error instanceof LocalError) process.stderr.write(`${error.remedy}\n`);
    process.exitCode = error instanceof UsageError ? EXIT_USAGE : failed;
  }
}

/** Runs the programs of this repository that a person starts in a terminal: `npm run demo`, `bench` and others. */
import { TestbedError } from '@chaosdemo/testbed';
import { type Command, CommanderError } from 'commander';
import { messageOf, terminalLines } from '../api/index.ts';
import { EXIT_USAGE, UsageError } from '../settings/settings.ts';
import { EXIT_INTERRUPTED, interruptedBy } from './interruption.ts';

export interface Run<Options> {
  /** Does the work; its signal aborts on Ctrl-C. `words` are the arguments that are not options. Returns the exit status. */
  readonly main: (options: Options, signal: AbortSignal, words: readonly string[]) => Promise<number>;
  /** Exit status if something does not work. */
  readonly failed: number;
  /** Called once on Ctrl-C or SIGTERM. */
  readonly onInterrupt?: () => void;
}

/**
 * Parses `args` by `command`, runs `main` to its end, and sets the exit status: that of `main`, `failed`, 64 for wrong
 * usage, 130 if it is interrupted.
 */
export async function runProgram<Options extends object>(
  command: Command,
  { main, failed, onInterrupt }: Run<Options>,
  args: readonly string[] = process.argv.slice(2),
): Promise<void> {
  const run = async (signal: AbortSignal): Promise<number> => {
    let status = 0;
    command
      .exitOverride()
      .showHelpAfterError('See --help.')
      .action(async () => {
        status = await main(command.opts<Options>(), signal, command.args);
      });
    await command.parseAsync([...args], { from: 'user' });
    return status;
  };
  await runMain(run, failed, onInterrupt);
}

/** Runs `main` as {@link runProgram} does, after its command line was parsed. */
export async function runMain(
  main: (signal: AbortSignal) => Promise<number>,
  failed: number,
  onInterrupt?: () => void,
): Promise<void> {
  const interrupted = interruptedBy(['SIGINT', 'SIGTERM'], onInterrupt);
  try {
    process.exitCode = await main(interrupted);
  } catch (error) {
    process.exitCode = exitOf(error, interrupted, failed);
  }
}

/** Prints why it failed. Returns the exit status: `failed`, 64 for wrong usage, 130 if it is interrupted. */
function exitOf(error: unknown, interrupted: AbortSignal, failed: number): number {
  // Commander has printed what is wrong, or the help.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT_USAGE;
  if (interrupted.aborted) return EXIT_INTERRUPTED;
  process.stderr.write(`\n${terminalLines(messageOf(error))}\n`);
  if (error instanceof TestbedError) process.stderr.write(`${error.remedy}\n`);
  return error instanceof UsageError ? EXIT_USAGE : failed;
}

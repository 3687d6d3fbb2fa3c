/** Runs the programs that a person starts in a terminal, and sets their exit status. */

import { UsageError } from '@chaosdemo/settings';
import { TestbedError } from '@chaosdemo/testbed';
import { type Command, CommanderError } from 'commander';
import { messageOf, terminalLines } from '../api/index.ts';
import { EXIT } from './exit-status.ts';
import { PluginError } from './plugin/errors.ts';

/** `npm run` forwards the signal that the terminal also sends: signals within this time, in ms, are one Ctrl-C. */
const SAME_MS = 1000;

/** How a program ends that fails. */
export interface Ending {
  /** Exit status if something does not work. */
  readonly failed: number;
  /** Called once on Ctrl-C or SIGTERM. */
  readonly onInterrupt?: () => void;
  /** Before the message of a failure; default: an empty line. */
  readonly prefix?: string;
}

export interface Run<Options> extends Ending {
  /** Does the work; its signal aborts on Ctrl-C. `words` are the arguments that are not options. Returns the exit status. */
  readonly main: (options: Options, signal: AbortSignal, words: readonly string[]) => Promise<number>;
}

/**
 * Parses the command line by `command`, runs `main` to its end, and sets the exit status: that of `main`, `failed`, 64 for wrong
 * usage, 130 if it is interrupted.
 */
export async function runProgram<Options extends object>(
  command: Command,
  { main, ...ending }: Run<Options>,
): Promise<void> {
  await runMain(async (signal) => {
    let status = 0;
    command
      .exitOverride()
      .showHelpAfterError('See --help.')
      .action(async () => {
        status = await main(command.opts<Options>(), signal, command.args);
      });
    await command.parseAsync(process.argv);
    return status;
  }, ending);
}

/** Runs `main` as {@link runProgram} does, after its command line was parsed or to parse it. */
export async function runMain(main: (signal: AbortSignal) => Promise<number>, ending: Ending): Promise<void> {
  const interrupted = interruptedBy(['SIGINT', 'SIGTERM'], ending.onInterrupt);
  try {
    process.exitCode = await main(interrupted);
  } catch (error) {
    process.exitCode = interrupted.aborted ? EXIT.interrupted : exitOfError(error, ending);
  }
}

/** Prints why it failed, and what to do. Returns the exit status. */
export function exitOfError(error: unknown, { failed, prefix = '\n' }: Ending): number {
  // Commander has printed what is wrong, or the help.
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
  process.stderr.write(`${prefix}${terminalLines(messageOf(error))}\n`);
  const isExplained = error instanceof TestbedError || error instanceof PluginError;
  if (isExplained && error.remedy) process.stderr.write(`${terminalLines(error.remedy)}\n`);
  return error instanceof UsageError ? EXIT.usage : failed;
}

/**
 * Returns an AbortSignal that aborts on the first of these signals, so that the program can run its teardown. The next
 * one ends the process immediately.
 *
 * Uses `on`, not `once`: Node.js removes a `once` listener before it calls the others, and Ink kills the process if its
 * own exit handler is the only listener left.
 * @param onInterrupt called once, before the abort
 */
function interruptedBy(names: readonly NodeJS.Signals[], onInterrupt?: () => void): AbortSignal {
  const interrupted = new AbortController();
  let at: number | undefined;
  for (const name of names) {
    process.on(name, () => {
      const now = performance.now();
      if (at !== undefined) {
        if (now - at > SAME_MS) process.exit(EXIT.interrupted);
        return;
      }
      at = now;
      onInterrupt?.();
      interrupted.abort(new Error(`stopped by ${name}`));
    });
  }
  return interrupted.signal;
}

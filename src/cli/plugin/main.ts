/** `kubectl chaosdemo`: reads the command line, runs one command, and sets the exit status. */
import { CommanderError } from 'commander';
import { messageOf, terminalLines } from '../../api/index.ts';
import { UsageError } from '../../settings/settings.ts';
import { interruptedBy } from '../interruption.ts';
import { EXIT, PluginError } from './errors.ts';
import { createProgram } from './program.ts';

const interrupted = interruptedBy(['SIGINT', 'SIGTERM', 'SIGHUP']);
// The reader of the output may close it early; a gate must not open without a verdict.
process.stdout.on('error', () => process.exit(EXIT.failed));

try {
  let exit: number = EXIT.done;
  const program = createProgram({ signal: interrupted, onExit: (status) => (exit = status) });
  await program.parseAsync(process.argv);
  process.exitCode = exit;
} catch (error) {
  process.exitCode = printError(error);
}

/** Prints the error and what to do. Returns the exit status. */
function printError(error: unknown): number {
  // The command line: commander has already printed the error, or the requested text.
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
  if (interrupted.aborted) return EXIT.interrupted;
  const message = messageOf(error);
  process.stderr.write(`${terminalLines(`kubectl chaosdemo: ${message}`)}\n`);
  if (error instanceof UsageError) return EXIT.usage;
  if (!(error instanceof PluginError)) return EXIT.failed;
  if (error.remedy) process.stderr.write(`${terminalLines(error.remedy)}\n`);
  return error.exit;
}

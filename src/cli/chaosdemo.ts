/** `chaosdemo`: tests an API on this machine, and works on the files of a run, or on that of a cluster. */
import { Command } from 'commander';
import { RELEASE } from '../api/index.ts';
import { checkCommand, exitOfFailure } from './check.ts';
import { EXIT } from './exit-status.ts';
import { initCommand, testCommand } from './laptop/arguments.ts';
import { runMain } from './program.ts';

const test = async () => (await import('./laptop/test.ts')).runTest;
const init = async () => (await import('./laptop/init.ts')).runInit;

const program = new Command('chaosdemo')
  .description('Tests the rate limiter of an API on this machine, and works with the files of a run.')
  .version(RELEASE, '--version')
  .exitOverride()
  .addCommand(checkCommand())
  .addCommand(testCommand().exitOverride().action(runHere(test)))
  .addCommand(initCommand().exitOverride().action(runHere(init)));

/** Loads what starts a run only when it runs: `check` does not need it. Failures are printed with what to do. */
function runHere<Options>(load: () => Promise<(options: Options, signal: AbortSignal) => Promise<number>>) {
  return async (options: Options): Promise<void> => {
    const { announceStop } = await import('./run-plan.ts');
    const main = await load();
    const ending = { failed: EXIT.failed, onInterrupt: announceStop };
    await runMain(async (signal) => await main(options, signal), ending);
  };
}

try {
  await program.parseAsync(process.argv);
} catch (error) {
  process.exitCode = exitOfFailure(error);
}

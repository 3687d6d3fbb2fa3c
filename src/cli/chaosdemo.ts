/** `chaosdemo`: tests an API on this machine, and works on the files of a run, or on that of a cluster. */
import { Command } from 'commander';
import { RELEASE } from '../api/index.ts';
import { checkCommand, exitOfFailure } from './check.ts';
import { EXIT } from './exit-status.ts';
import { type ApiOptions, initCommand, type TestOptions, testCommand } from './laptop/arguments.ts';
import { runMain } from './program.ts';

const program = new Command('chaosdemo')
  .description('Tests the rate limiter of an API on this machine, and works with the files of a run.')
  .version(RELEASE, '--version')
  .exitOverride()
  .addCommand(checkCommand())
  .addCommand(
    testCommand()
      .exitOverride()
      .action(async (options: TestOptions) => {
        // Loads what starts a run, which `check` does not need.
        const { runTest } = await import('./laptop/test.ts');
        await runHere(async (signal) => await runTest(options, signal));
      }),
  )
  .addCommand(
    initCommand()
      .exitOverride()
      .action(async (options: ApiOptions) => {
        const { runInit } = await import('./laptop/init.ts');
        await runHere(async (signal) => await runInit(options, signal));
      }),
  );

/** Sets the exit status; failures are printed with what to do. */
async function runHere(main: (signal: AbortSignal) => Promise<number>): Promise<void> {
  const { announceStop } = await import('./run-plan.ts');
  await runMain(main, { failed: EXIT.failed, onInterrupt: announceStop });
}

try {
  await program.parseAsync(process.argv);
} catch (error) {
  process.exitCode = exitOfFailure(error);
}

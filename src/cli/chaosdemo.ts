/** `chaosdemo`: tests an API on this machine, and works on the files of a run, or on that of a cluster. */
import { chaosdemoProgram, runCommandLine } from './check.ts';
import { EXIT } from './exit-status.ts';
import { type ApiOptions, initCommand, type TestOptions, testCommand } from './laptop/arguments.ts';

const program = chaosdemoProgram(
  'Tests the rate limiter of an API on this machine, and works with the files of a run.',
);

program.addCommand(
  testCommand()
    .exitOverride()
    .action(async (options: TestOptions) => {
      // Loads what starts a run, which `check` does not need.
      const { runTest } = await import('./laptop/test.ts');
      await runHere(async (signal) => await runTest(options, signal));
    }),
);

program.addCommand(
  initCommand()
    .exitOverride()
    .action(async (options: ApiOptions) => {
      const { runInit } = await import('./laptop/init.ts');
      await runHere(async (signal) => await runInit(options, signal));
    }),
);

/** Sets the exit status; failures are printed with what to do. */
async function runHere(main: (signal: AbortSignal) => Promise<number>): Promise<void> {
  const [{ runMain }, { announceStop }] = await Promise.all([
    import('./program.ts'),
    import('./run-plan.ts'),
  ]);
  await runMain(main, { failed: EXIT.failed, onInterrupt: announceStop });
}

await runCommandLine(program);

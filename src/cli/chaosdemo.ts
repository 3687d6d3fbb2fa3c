/** `chaosdemo`: tests an API on this machine, and works on the files of a run, or on that of a cluster. */
import { chaosdemoProgram, runCommandLine } from './check.ts';
import { EXIT } from './exit-status.ts';
import { type TestOptions, testCommand } from './laptop/arguments.ts';

const program = chaosdemoProgram(
  'Tests the rate limiter of an API on this machine, and works with the files of a run.',
);

program.addCommand(
  testCommand()
    .exitOverride()
    .action(async (options: TestOptions) => {
      // Loads what starts a run, which `check` does not need.
      const [{ runTest }, { runMain }, { announceStop }] = await Promise.all([
        import('./laptop/test.ts'),
        import('./program.ts'),
        import('./run-plan.ts'),
      ]);
      await runMain(async (signal) => await runTest(options, signal), {
        failed: EXIT.failed,
        onInterrupt: announceStop,
      });
    }),
);

await runCommandLine(program);

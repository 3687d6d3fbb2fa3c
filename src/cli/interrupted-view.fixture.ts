/** For tests only: a program with the live screen that takes its time to restore what it has changed. */
import { setTimeout as sleep } from 'node:timers/promises';
import { runProgram } from './program.ts';
import { openScreen } from './view/screen.ts';

const HANGS = process.argv[2] === 'hangs';

await runProgram(
  { about: 'a test', settings: {} },
  {
    failed: 2,
    main: async (_, signal) => {
      const screen = await openScreen({
        onKey: (key) => {
          if (key === 'ctrl-c') process.kill(process.pid, 'SIGINT');
        },
        onResize: () => undefined,
      });
      screen.show(['a run is active']);
      try {
        if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve));
        if (HANGS) {
          screen.show(['it hangs']);
          await sleep(600_000);
        }
      } finally {
        await screen.close();
      }
      await sleep(300);
      process.stdout.write('everything is restored\n');
      throw signal.reason as Error;
    },
  },
  [],
);

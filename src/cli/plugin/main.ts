/** `kubectl chaosdemo`: reads the command line, runs one command, and sets the exit status. */
import { EXIT } from '../exit-status.ts';
import { runMain } from '../program.ts';
import { createProgram } from './program.ts';

// The reader of the output may close it early; a gate must not open without a verdict.
process.stdout.on('error', () => process.exit(EXIT.failed));

await runMain(
  async (signal) => {
    let exit: number = EXIT.done;
    const program = createProgram({ signal, onExit: (status) => (exit = status) });
    await program.parseAsync(process.argv);
    return exit;
  },
  { failed: EXIT.failed, prefix: 'kubectl chaosdemo: ' },
);

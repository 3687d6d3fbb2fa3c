/** The command line of `npm run torture`. */
import { Command } from 'commander';
import { wholeNumber } from '../../src/cli/option-value.ts';

/** Its options. */
export interface TortureOptions {
  readonly seed: number;
  readonly runs: number;
  readonly records?: string;
  readonly attacked?: boolean;
}

/** The command. */
export function tortureCommand(): Command {
  return new Command('npm run torture --')
    .description(
      'Disturbs runs of a real operator on a real API server, Redis and rate limiters, by plans that seeds make, and checks what an observer outside the operator has seen. The same seed makes the same plan.',
    )
    .option('--seed <number>', 'seed of the first run', wholeNumber(0, 999_999_999), 1)
    .option(
      '--runs <number>',
      'how many runs to make; each has the seed of the one before, plus 1',
      wholeNumber(1, 100_000),
      1,
    )
    .option(
      '--records <folder>',
      'keep the whole record of each run in it (default: only those with something wrong, in torture-records)',
    )
    .option('--attacked', 'next to a tenant whose Redis servers send what takes long to read')
    .addHelpText(
      'after',
      `
Exit status: 0 nothing wrong, 1 something wrong, 2 something did not work, 64 wrong usage, 130 stopped by Ctrl-C.`,
    );
}

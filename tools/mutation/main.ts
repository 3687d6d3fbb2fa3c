/**
 * `npm run mutation -- [paths] [flags]`: changes the code of the judging parts piece by piece, and reports each change
 * that no unit test notices.
 */
import { statSync } from 'node:fs';
import { UsageError } from '@chaosdemo/settings';
import { Stryker } from '@stryker-mutator/core';
import { Command } from 'commander';
import { wholeNumber } from '../../src/cli/option-value.ts';
import { runProgram } from '../../src/cli/program.ts';

/** Pure code that decides results: here a change that no test notices is a wrong result that no test notices. */
const FOLDERS = [
  'src/engine',
  'src/subjects/checkers',
  'src/subjects/ratelimiter/checkers',
  'src/subjects/ratelimiter/limits',
  'packages/redis-faults/src/faults',
];
/** The verdict, its judgements and the bounds, which everything else builds on. */
const SHORT = [
  'src/engine/verdict.ts',
  'src/engine/judgement.ts',
  'src/subjects/ratelimiter/limits/rate-limit.ts',
  'src/subjects/ratelimiter/limits/over-admission.ts',
];
const CACHE = 'dist/mutation';

interface Options {
  readonly short?: boolean;
  readonly processes: number;
  readonly force?: boolean;
}

const command = new Command('npm run mutation --')
  .description(
    'Changes code piece by piece, runs the unit tests that reach the change, and prints each change that they do not notice.',
  )
  .argument('[paths...]', `files or folders of src (default: ${FOLDERS.join(', ')})`)
  .option('--short', `only ${SHORT.join(', ')}`)
  .option('--processes <number>', 'how many test processes run at once', wholeNumber(1, 99), 2)
  .option('--force', 'also test what has not changed since the last run')
  .addHelpText('after', '\nExit status: 0 the run ended, 1 it did not work, 64 wrong usage.');

await runProgram<Options>(command, {
  failed: 1,
  async main(given, _signal, paths) {
    for (const path of paths) {
      if (!path.startsWith('src/') || !statSync(path, { throwIfNoEntry: false }))
        throw new UsageError(`"${path}" is no file or folder of src`);
    }
    await new Stryker(options(given, paths)).runMutationTest();
    return 0;
  },
});

function options(
  { force = false, processes, short }: Options,
  given: readonly string[],
): ConstructorParameters<typeof Stryker>[0] {
  const paths = short ? SHORT : given.length > 0 ? given : FOLDERS;
  return {
    mutate: [...paths.flatMap(filesIn), '!**/*.test.ts'],
    // Tests assert reasons and figures, not sentences; the types reject a reason that does not exist.
    mutator: { excludedMutations: ['StringLiteral'] },
    // A constant of a module is computed before any test runs, so each change of one would run all tests.
    ignoreStatic: true,
    coverageAnalysis: 'perTest',
    testRunner: 'vitest',
    plugins: ['@stryker-mutator/vitest-runner'],
    vitest: { configFile: 'tools/mutation/vitest.config.ts' },
    // Vitest needs no tsconfig.json, and Stryker cannot rewrite one with TypeScript 7, which has no API for that.
    tsconfigFile: 'none',
    concurrency: processes,
    incremental: true,
    incrementalFile: `${CACHE}/incremental.json`,
    force,
    tempDirName: `${CACHE}/sandbox`,
    reporters: ['clear-text', 'progress-append-only'],
    allowConsoleColors: false,
    clearTextReporter: { allowColor: false, logTests: false, reportTests: false },
    thresholds: { high: 90, low: 75, break: null },
  };
}

function filesIn(path: string): string[] {
  return [statSync(path).isDirectory() ? `${path.replace(/\/$/, '')}/**/*.ts` : path];
}

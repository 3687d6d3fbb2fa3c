/**
 * `npm run mutation -- [paths] [flags]`: changes the code of the judging parts piece by piece, and reports each change
 * that no unit test notices.
 */
import { statSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { Stryker } from '@stryker-mutator/core';

/** Pure code that decides results: here a change that no test notices is a wrong result that no test notices. */
const FOLDERS = [
  'src/demo',
  'src/subjects/ratelimiter/checkers',
  'src/subjects/ratelimiter/limits',
  'src/subjects/ratelimiter/scenarios',
];
/** The verdict and the bounds, which everything else builds on. */
const SHORT = [
  'src/demo/verdict.ts',
  'src/subjects/ratelimiter/limits/rate-limit.ts',
  'src/subjects/ratelimiter/limits/over-admission.ts',
];
const CACHE = 'dist/mutation';
const EXIT_USAGE = 64;
const HELP = `Usage: npm run mutation -- [paths] [flags]

Changes code piece by piece, runs the unit tests that reach the change, and prints each change that they do not
notice. Paths are files or folders of src; without any: ${FOLDERS.join(', ')}.

  --short           only ${SHORT.join(', ')}
  --processes N     how many test processes run at once, 1 to 99 (default: 2)
  --force           also test what has not changed since the last run
  --help            this text

Exit status: 0 the run ended, 1 it did not work, 64 wrong usage.
`;

const { values, positionals } = readArguments();
if (values.help) {
  process.stdout.write(HELP);
} else {
  await new Stryker(options()).runMutationTest();
}

function options(): ConstructorParameters<typeof Stryker>[0] {
  const paths = values.short ? SHORT : positionals.length > 0 ? positionals : FOLDERS;
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
    concurrency: Number(values.processes),
    incremental: true,
    incrementalFile: `${CACHE}/incremental.json`,
    force: values.force,
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

function readArguments() {
  try {
    const parsed = parseArgs({
      options: {
        short: { type: 'boolean', default: false },
        processes: { type: 'string', default: '2' },
        force: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
      allowPositionals: true,
    });
    if (!/^[1-9][0-9]?$/.test(parsed.values.processes))
      throw new Error('--processes is a number from 1 to 99');
    for (const path of parsed.positionals) {
      if (!path.startsWith('src/') || !statSync(path, { throwIfNoEntry: false }))
        throw new Error(`"${path}" is no file or folder of src`);
    }
    return parsed;
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\nSee npm run mutation -- --help.\n`);
    return process.exit(EXIT_USAGE);
  }
}

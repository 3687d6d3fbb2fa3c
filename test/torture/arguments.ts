/** The command line of `npm run torture`. */
import { file, integer } from '../../src/settings/kinds.ts';
import type { Program } from '../../src/settings/settings.ts';

const settings = {
  seed: { ...integer(0, 999_999_999), flag: 'seed', help: 'Seed of the first run', fallback: '1' },
  runs: {
    ...integer(1, 100_000),
    flag: 'runs',
    help: 'How many runs to make; each has the seed of the one before, plus 1',
    fallback: '1',
  },
  records: {
    ...file,
    flag: 'records',
    help: 'Folder for the whole record of each run; without it only those with something wrong are kept, in torture-records',
  },
} as const;

export const TORTURE = {
  about: `Usage: npm run torture -- --seed <number> --runs <number>

Disturbs runs of a real operator on a real API server, Redis and rate limiters, by plans that seeds make, and
checks what an observer outside the operator has seen. The same seed makes the same plan.`,
  settings,
  notes:
    'Exit status: 0 nothing wrong, 1 something wrong, 2 something did not work, 64 wrong usage, 130 stopped by Ctrl-C.',
} satisfies Program<typeof settings>;

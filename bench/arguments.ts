/** The command line of `npm run bench`. */
import { z } from 'zod';
import { file, list } from '../src/settings/kinds.ts';
import type { Program } from '../src/settings/settings.ts';
import type { Benchmark } from './benchmark.ts';

/** `only` holds names of `all`; undefined stands for every one. */
export function benchProgram(all: readonly Benchmark[]) {
  const names = all.map(({ name }) => name);
  const width = Math.max(...names.map((name) => name.length)) + 2;
  const settings = {
    only: {
      ...list('<names>', `some of ${names.join(', ')}`, z.enum(names)),
      flag: 'only',
      help: 'Make these only, separated by commas (default: all)',
    },
    report: { ...file, flag: 'report', help: 'Write the figures to this file, as JSON' },
  } as const;
  return {
    about: `Usage: npm run bench -- [flags]

Measures the operator on this machine: with a real Kubernetes API server, real Redis servers and real rate
limiters. Asserts nothing about speed.`,
    settings,
    notes: `Benchmarks, in this order:

${all.map(({ name, what }) => `  ${name.padEnd(width)}${what}`).join('\n')}

Exit status: 0 all succeeded, 1 something did not work, 64 wrong usage, 130 stopped by Ctrl-C.`,
  } satisfies Program<typeof settings>;
}

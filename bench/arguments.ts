/** The command line of `npm run bench`. */
import { Command, InvalidArgumentError } from 'commander';
import type { Benchmark } from './benchmark.ts';

/** Its options. */
export interface BenchOptions {
  /** Names of benchmarks; undefined stands for every one. */
  readonly only?: readonly string[];
  readonly report?: string;
}

/** The command for these benchmarks. */
export function benchCommand(all: readonly Benchmark[]): Command {
  const names = all.map(({ name }) => name);
  const width = Math.max(...names.map((name) => name.length)) + 2;
  const only = (text: string, earlier: readonly string[] = []): string[] => {
    const chosen = text.split(',');
    if (chosen.every((name) => names.includes(name))) return [...earlier, ...chosen];
    throw new InvalidArgumentError(`Write some of ${names.join(', ')}.`);
  };
  return new Command('npm run bench --')
    .description(
      'Measures the operator on this machine: with a real Kubernetes API server, real Redis servers and real rate limiters. Asserts nothing about speed.',
    )
    .option(
      '--only <names>',
      'make only these, separated by commas (default: all but stability and crowd)',
      only,
    )
    .option('--report <file>', 'write the figures to this file, as JSON')
    .addHelpText(
      'after',
      `
Benchmarks, in this order:

${all.map(({ name, what }) => `  ${name.padEnd(width)}${what}`).join('\n')}

Exit status: 0 all succeeded, 1 something did not work, 64 wrong usage, 130 stopped by Ctrl-C.`,
    );
}

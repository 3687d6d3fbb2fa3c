/** The command line of `npm run bench`. */
import { parseArgs } from 'node:util';
import { UsageError } from '../src/cli/program.ts';
import type { Benchmark } from './benchmark.ts';

interface BenchArguments {
  readonly benchmarks: readonly Benchmark[];
  /** Where to write the figures; undefined: nowhere. */
  readonly report: string | undefined;
}

/** @throws UsageError; undefined where help was asked for */
export function parseBenchArguments(
  args: readonly string[],
  all: readonly Benchmark[],
): BenchArguments | undefined {
  const { only, report, help } = parse(args);
  if (help) return undefined;
  const known = all.map(({ name }) => name);
  const unknown = only?.find((name) => !known.includes(name));
  if (unknown !== undefined) throw new UsageError(`--only ${unknown}: write one of ${known.join(', ')}`);
  return { benchmarks: all.filter(({ name }) => only?.includes(name) ?? true), report };
}

/** What `--help` prints. */
export function helpText(all: readonly Benchmark[]): string {
  const width = Math.max(...all.map(({ name }) => name.length)) + 2;
  const lines = all.map(({ name, what }) => `  ${name.padEnd(width)}${what}`);
  return `Measures the operator on this machine: with a real Kubernetes API server, real Redis
servers and real rate limiters. Asserts nothing about speed.

Usage: npm run bench -- [options]

  --only NAME    Make this one only; may be given several times.
  --report FILE  Write the figures to FILE, as JSON.
  --help         Print this.

Benchmarks, in this order:

${lines.join('\n')}

Exit status: 0 all were made, 1 something did not work, 64 wrong usage, 130 stopped by Ctrl-C.
`;
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        only: { type: 'string', multiple: true },
        report: { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    }).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

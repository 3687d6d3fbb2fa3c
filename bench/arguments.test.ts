import { expect, it } from 'vitest';
import { UsageError } from '../src/cli/program.ts';
import { helpText, parseBenchArguments } from './arguments.ts';
import type { Benchmark } from './benchmark.ts';

const all: Benchmark[] = ['first', 'second', 'third'].map((name) => ({
  name,
  what: `measures the ${name}`,
  run: async () => [],
}));

const chosen = (...args: string[]): string[] | undefined =>
  parseBenchArguments(args, all)?.benchmarks.map(({ name }) => name);

it('makes all without --only, and with it those named, in their own order', () => {
  expect(chosen()).toEqual(['first', 'second', 'third']);
  expect(chosen('--only', 'third', '--only=first')).toEqual(['first', 'third']);
});

it('says what there is when a name is not known', () => {
  expect(() => chosen('--only', 'forth')).toThrow(
    new UsageError('--only forth: write one of first, second, third'),
  );
});

it('refuses what it does not know', () => {
  expect(() => chosen('--fast')).toThrow(UsageError);
  expect(() => chosen('first')).toThrow(UsageError);
});

it('lists every benchmark in its help', () => {
  expect(parseBenchArguments(['--help'], all)).toBeUndefined();
  for (const { name, what } of all) expect(helpText(all)).toMatch(new RegExp(`${name} +${what}`));
});

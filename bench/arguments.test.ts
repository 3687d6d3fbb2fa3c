import { expect, it } from 'vitest';
import { parsed } from '../test/kit/command.ts';
import { type BenchOptions, benchCommand } from './arguments.ts';
import type { Benchmark } from './benchmark.ts';

const all: Benchmark[] = ['first', 'second', 'third'].map((name) => ({
  name,
  what: `measures the ${name}`,
  run: async () => [],
}));

const chosen = (...args: string[]) => parsed(benchCommand(all), args).opts<BenchOptions>().only;

it('makes all without --only, and with it those named', () => {
  expect(chosen()).toBeUndefined();
  expect(chosen('--only', 'third', '--only=first')).toEqual(['third', 'first']);
  expect(chosen('--only', 'third,first')).toEqual(['third', 'first']);
});

it('reports what there is when a name is not known', () => {
  expect(() => chosen('--only', 'forth')).toThrow('first, second, third');
});

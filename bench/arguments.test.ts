import { expect, it } from 'vitest';
import { helpText, readSettings, UsageError } from '../src/settings/settings.ts';
import { benchProgram } from './arguments.ts';
import type { Benchmark } from './benchmark.ts';

const all: Benchmark[] = ['first', 'second', 'third'].map((name) => ({
  name,
  what: `measures the ${name}`,
  run: async () => [],
}));

const chosen = (...args: string[]): string[] | undefined => {
  const settings = readSettings(benchProgram(all), args, {});
  return settings === 'help' ? [] : settings.only;
};

it('makes all without --only, and with it those named', () => {
  expect(chosen()).toBeUndefined();
  expect(chosen('--only', 'third', '--only=first')).toEqual(['third', 'first']);
  expect(chosen('--only', 'third,first')).toEqual(['third', 'first']);
});

it('says what there is when a name is not known', () => {
  expect(() => chosen('--only', 'forth')).toThrow('--only is "forth": write some of first, second, third');
});

it('refuses what it does not know', () => {
  expect(() => chosen('--fast')).toThrow(UsageError);
  expect(() => chosen('first')).toThrow(UsageError);
});

it('lists every benchmark in its help', () => {
  for (const { name, what } of all)
    expect(helpText(benchProgram(all))).toMatch(new RegExp(`${name} +${what}`));
});

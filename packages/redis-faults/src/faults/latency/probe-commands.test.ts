import { expect, it } from 'vitest';
import { isSlow, type ProbeCommand, provenBy } from './probe-commands.ts';

const T = 1_000_000;
const LATENCY_MS = 300;
const command = (change: Partial<ProbeCommand> = {}): ProbeCommand => ({
  at: T,
  tookMs: 280,
  readMs: 1,
  ...change,
});

it.each([
  ['a command that took as long', {}, true],
  ['a command that took half as long', { tookMs: 150 }, true],
  ['a command that took less', { tookMs: 149 }, false],
  ['a command that took twice as long, and a little more', { tookMs: 700 }, true],
  ['a command that took longer', { tookMs: 701 }, false],
  ['a direct read that took half as long', { readMs: 150 }, true],
  ['a read that was slow, too', { readMs: 151 }, false],
] as const)(
  'with a latency of 300 ms only commands through the proxy are slow or not: %s',
  (_, change, expected) => {
    expect(isSlow(command(change), LATENCY_MS)).toBe(expected);
  },
);

const span = { startedAt: T, until: T + 3000 };
const commands = (count: number): ProbeCommand[] =>
  Array.from({ length: count }, (_, i) => command({ at: T + (i + 1) * 300 }));

it.each([
  [10, 'Confirmed'],
  [8, 'Confirmed'],
  [7, 'Inconclusive'],
  [0, 'Inconclusive'],
] as const)('slow commands for 3 s, %i of them: %s', (count, proof) => {
  expect(provenBy(commands(count), LATENCY_MS, span)).toMatchObject({ proof });
});

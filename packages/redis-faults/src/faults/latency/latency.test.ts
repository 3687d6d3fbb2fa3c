import { expect, it } from 'vitest';
import { isSlow, type ProbeCommand } from './latency.ts';

const LATENCY_MS = 300;
const command = (change: Partial<ProbeCommand> = {}): ProbeCommand => ({
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

import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { FaultStatus } from '../api/index.ts';
import { bandsOf, detectionsOf } from './evidence.ts';
import type { InvariantReading } from './observed.ts';
import type { Scenario } from './subject.ts';
import { iso } from './time.ts';

const scenario = {
  countdownMs: 3000,
  settleMs: 2000,
} as Scenario;
const fault: FaultStatus = { id: 'f', plannedAt: iso(5000), until: iso(9000) };
const rangesOf = (changes: Partial<FaultStatus>, reading?: InvariantReading) =>
  bandsOf(scenario, { ...fault, ...changes }, reading).map(({ from, kind, to }) => [kind, from, to]);

it('a detection is as long after the break as the status says it took', () => {
  const milliseconds = fc.double({ min: 0, max: 60_000, noNaN: true });
  fc.assert(
    fc.property(milliseconds, milliseconds, milliseconds, (runAt, brokenAt, took) => {
      const reading = { brokenAt, detectedAt: brokenAt + took, summary: '9 > 5' };
      const [broken = 0, detected = 0] = detectionsOf(reading).map(({ at }) => Math.round(at - runAt));
      // As applyReading does it.
      expect(detected - broken).toBe(Math.max(0, Math.round(reading.detectedAt - brokenAt)));
    }),
  );
  expect(detectionsOf({})).toEqual([]);
});

it('bands are as known: the countdown, the fault, and the watch after it', () => {
  const countdown = ['countdown', 2000, 5000];
  const startedAt = iso(5100);
  expect(rangesOf({})).toEqual([countdown]);
  expect(rangesOf({ startedAt })).toEqual([countdown, ['fault', 5100, undefined]]);
  const ended = { startedAt, endedAt: iso(8000) };
  expect(rangesOf(ended)).toEqual([countdown, ['fault', 5100, 8000], ['settle', 8000, 10_000]]);
  const complete = { complete: true, watchedUntil: 9000 } as InvariantReading;
  expect(rangesOf(ended, complete).at(-1)).toEqual(['settle', 8000, 9000]);
});

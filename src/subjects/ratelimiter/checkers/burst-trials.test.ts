import { describe, expect, it } from 'vitest';
import type { InvariantReading } from '../../../demo/observed.ts';
import type { BurstResult } from './burst-result.ts';
import { burstBands, readingOf, reportOf, shownTrial, type Trial, trialKeys } from './burst-trials.ts';
import { reportOfBurst } from './sent-burst.ts';

const T = 1_000_000;

/** One of the bursts, `i`-th, of 20 requests to two pods, where the limit is 10. */
function trial(
  i: number,
  admitted: number,
  change: Partial<BurstResult> = {},
  missing: string[] = [],
): Trial {
  const startedAt = T + 500 * i;
  const burst: BurstResult = {
    requests: 20,
    admitted,
    rejected: 20 - admitted,
    errors: 0,
    timeouts: 0,
    startedAt,
    endedAt: startedAt + 20,
    sendSpanMs: 1,
    sent: new Map([['a', 10]]),
    admittedBy: new Map(),
    admittedAt: [],
    outcomes: [],
    ...change,
  };
  const reading: InvariantReading = {
    measures: [
      { name: 'admitted', value: admitted, bound: 10, unit: 'requests' },
      { name: 'requests', value: 20, unit: 'requests' },
    ],
    summary: `${admitted}/10`,
    ...(admitted > 10 && { brokenAt: startedAt + 10, detectedAt: startedAt + 25 }),
    watchedUntil: startedAt + 100,
    complete: true,
    shortfalls: missing,
    evidence: [`Sender: ${admitted}`],
  };
  return { burst, report: reportOfBurst(burst, 2), reading };
}

const reading = (trials: readonly Trial[], asked = trials.length, stopped?: string): InvariantReading =>
  readingOf(trials, asked, stopped);

describe('trials', () => {
  it('have a key each, of which the first is the fixture', () => {
    expect(trialKeys('demo-x', 3)).toEqual(['demo-x', 'demo-x-trial-2', 'demo-x-trial-3']);
  });

  it('are broken by one of them, with the figures and the moments of the worst', () => {
    const seen = reading([trial(0, 10), trial(1, 13), trial(2, 15)]);
    expect(seen).toMatchObject({
      summary: '15/10, 2/3 trials',
      trials: 3,
      brokenAt: T + 1010,
      detectedAt: T + 1025,
      measures: [
        { name: 'admitted', value: 15 },
        { name: 'trials', value: 3 },
        { name: 'trialsViolated', value: 2 },
        { name: 'requests' },
      ],
    });
    expect(seen.evidence[0]).toMatch(/^Admitted .*of 20 requests: 10, 13, 15$/);
  });

  it('show the series of the trial whose figures they show', () => {
    expect(shownTrial([trial(0, 10), trial(1, 13), trial(2, 15)])).toBe(2);
    expect(shownTrial([trial(0, 9), trial(1, 10), trial(2, 10)])).toBe(1);
    expect(shownTrial([trial(0, 12), trial(1, 15, { timeouts: 1, rejected: 4 })])).toBe(1);
    expect(shownTrial([])).toBe(0);
  });

  it('have shown nothing where each was good', () => {
    const seen = reading([trial(0, 10), trial(1, 10), trial(2, 10)]);
    expect(seen).toMatchObject({ summary: '10/10, 0/3 trials', shortfalls: [] });
    expect(seen.measures).toContainEqual({ name: 'excludesAbove', value: 64, unit: '%' });
    // The API takes whole numbers alone.
    for (const { value } of seen.measures) expect(value).toBe(Math.round(value));
    expect(seen.detectedAt).toBeUndefined();
  });

  it('prove nothing where one has a gap, and say which', () => {
    const seen = reading([trial(0, 10), trial(1, 10, {}, ['no sample'])]);
    expect(seen.shortfalls).toEqual(['trial 2: no sample']);
  });

  it('prove nothing where fewer were made than were asked for, and say why', () => {
    expect(reading([trial(0, 10)], 3, 'late').shortfalls).toEqual(['1 of 3 trials made: late']);
    expect(() => reading([], 1)).toThrow(RangeError);
  });

  it('are bounded in what is told of many', () => {
    const many = Array.from({ length: 59 }, (_, i) => trial(i, i === 40 ? 12 : 10));
    const bursts = many.map(({ burst }) => burst);
    expect(burstBands(bursts, 40).map(({ from }) => (from - T) / 500)).toEqual([
      ...Array.from({ length: 11 }, (_, i) => i),
      40,
    ]);
    expect(reading(many)).toMatchObject({ summary: '12/10, 1/59 trials', trials: 59 });
    expect(reading(many).evidence[0]).toMatch(/^Admitted .*of 20 requests: 10 to 12$/);
    expect(reportOf(many, 2).message.length).toBeLessThan(120);
  });

  it('trials form one fault, Confirmed if each is, from first request to last answer', () => {
    expect(reportOf([trial(0, 20), trial(1, 20)], 2)).toMatchObject({
      proof: 'Confirmed',
      startedAt: T,
      endedAt: T + 520,
      message: expect.stringMatching(/^2 bursts of 20 .*2 pods, .* 1\.0, 1\.0 ms: 20, 20 /),
    });
    expect(reportOf([trial(0, 20)], 2).message).toMatch(/^20 requests .*2 pods, .* 1\.0 ms/);
  });

  it('are not confirmed where one is not, unless another has shown ghosts', () => {
    const lost = { admitted: 10, rejected: 9, timeouts: 1, firstError: 'a: silent' };
    const bad = trial(1, 10, lost);
    expect(reportOf([trial(0, 10), bad], 2)).toMatchObject({
      proof: 'Inconclusive',
      message: expect.stringMatching(/^Trial 2 of 2: .*1 timeouts. First: a: silent/),
    });
    expect(reportOf([trial(0, 20), bad], 2)).toMatchObject({ proof: 'Confirmed' });
  });

  it('show more than the limit even if the burst was not confirmed', () => {
    const lost = { admitted: 20, rejected: 0, timeouts: 1, firstError: 'a: silent' };
    const all = [trial(0, 10), trial(1, 20, lost)];
    expect(reportOf(all, 2)).toMatchObject({ proof: 'Inconclusive' });
    expect(reading(all)).toMatchObject({ detectedAt: expect.any(Number) });
  });
});

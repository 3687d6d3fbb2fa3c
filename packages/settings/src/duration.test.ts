import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatDuration, parseDuration } from './duration.ts';

describe('durations', () => {
  it.each([
    ['10s', 10_000],
    ['1m30s', 90_000],
    ['250ms', 250],
    ['1h1m1s1ms', 3_661_001],
    ['0s', 0],
    ['1.5m', 90_000],
    ['0.5h30.25s', 1_830_250],
    ['0.4ms', 0],
  ])('%s is %i ms', (text, milliseconds) => {
    expect(parseDuration(text)).toBe(milliseconds);
  });

  it.each(['', '10', '-1s', '.5h', '1.h', '1.2345s', '1..5s', '1d', '10 s', '123456s', '1h1m1s1ms1ms'])(
    '%j is refused with what to write',
    (text) => {
      expect(() => parseDuration(text)).toThrow(/numbers with h, m, s or ms/);
    },
  );

  it('come back from what they are written as', () => {
    fc.assert(
      fc.property(fc.nat({ max: 99_999 * 3_600_000 }), (milliseconds) => {
        expect(parseDuration(formatDuration(milliseconds))).toBe(milliseconds);
      }),
    );
  });

  it('cannot be negative', () => {
    expect(() => formatDuration(-1)).toThrow(RangeError);
  });
});

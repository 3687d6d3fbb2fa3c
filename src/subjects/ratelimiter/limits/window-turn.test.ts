import { describe, expect, it } from 'vitest';
import type { RateLimit } from './rate-limit.ts';
import { CLOCK_WITHIN_MS, fitsFrom, untilItFits, windowEnd } from './window-turn.ts';

const clock: RateLimit = { algorithm: 'FixedWindow', requests: 5, windowMs: 10_000, start: 'Clock' };
const { signal } = new AbortController();

describe('the end of a window by the clock', () => {
  it('two weighted counts have windows by the clock, too', () => {
    const counter: RateLimit = { algorithm: 'SlidingWindowCounter', requests: 5, windowMs: 10_000 };
    expect(windowEnd([counter], 12_345)).toBe(20_000 - CLOCK_WITHIN_MS);
  });

  it('a wait ends once no clock is before the end of the window', async () => {
    const began = performance.now();
    await untilItFits([clock], 7000, () => 19_990, signal);
    // The window ends 10 ms later, and the slowest clock is 1 s behind. A timer may be 1 ms early.
    expect(performance.now() - began).toBeGreaterThanOrEqual(10 + CLOCK_WITHIN_MS - 1);
  });

  it('is kept out of what is to fit, by every clock', () => {
    expect(fitsFrom([clock], 6000, 12_345)).toBe(12_345);
    expect(fitsFrom([clock], 6000, 10_200)).toBe(11_000);
    expect(fitsFrom([clock], 6000, 13_001)).toBe(21_000);
    expect(fitsFrom([{ ...clock, start: 'FirstRequest' }], 6000, 19_000)).toBe(19_000);
  });
});

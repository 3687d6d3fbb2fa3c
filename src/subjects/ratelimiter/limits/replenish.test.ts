import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type Decide,
  lengtheningWindow,
  limitsUpTo,
  logOfAll,
  modelOf,
} from '../../../../test/fixtures/subjects/ratelimiter/limits/limiter-models.ts';
import { admittedAtOnce, type RateLimit } from './rate-limit.ts';
import { CLOCK_WITHIN_MS, replenishedAt, returnsWithin } from './window-turn.ts';

const WINDOW = 5000;

const limits = limitsUpTo(12, WINDOW);

/** Moments, each so long after the one before. */
const moments = (from: number, gaps: readonly number[]): number[] => {
  let at = from;
  return gaps.map((gap) => {
    at += gap;
    return at;
  });
};

/** Bursts of requests, so that the limit is used up, with gaps between them. */
const gaps = fc
  .array(fc.tuple(fc.integer({ min: 1, max: 15 }), fc.integer({ min: 1, max: 3000 })), {
    minLength: 1,
    maxLength: 8,
  })
  .map((bursts) => bursts.flatMap(([size, gap]) => [gap, ...Array.from({ length: size - 1 }, () => 0)]));
const start = fc.integer({ min: 1_000_000, max: 1_000_000 + 2 * WINDOW });
/** How far the limiter's clock is ahead of ours. */
const skews = fc.integer({ min: -CLOCK_WITHIN_MS, max: CLOCK_WITHIN_MS });
const later = fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 2 * WINDOW }));

/** Holds what a used limiter decides after the rest against what an unused one does. */
function expectAsNew(
  make: () => Decide,
  limit: RateLimit,
  { after, before, skew, wait }: { before: number[]; wait: number; after: number[]; skew: number },
): void {
  const [used, unused] = [make(), make()];
  for (const at of before) used(at + skew);
  const whole = replenishedAt([limit], before.at(-1) ?? 0);
  for (const at of [whole + wait, ...moments(whole + wait, after)])
    expect(used(at + skew)).toBe(unused(at + skew));
}

describe('a limit after its rest', () => {
  it('is that of a caller whom the limiter has never seen, wherever the clocks are', () => {
    fc.assert(
      fc.property(limits, start, gaps, later, gaps, skews, (limit, from, before, wait, after, skew) => {
        expectAsNew(() => modelOf(limit), limit, { before: moments(from, before), wait, after, skew });
      }),
      { numRuns: 500 },
    );
  });

  it('a limit is replenished after cool-down, also if rejections count or extend it', () => {
    const requests = fc.integer({ min: 1, max: 5 });
    fc.assert(
      fc.property(requests, start, gaps, later, gaps, skews, (most, from, gapsBefore, wait, after, skew) => {
        const before = moments(from, gapsBefore);
        const of = { requests: most, windowMs: WINDOW };
        const fixed: RateLimit = { algorithm: 'FixedWindow', start: 'EachRequest', ...of };
        expectAsNew(() => lengtheningWindow(most, WINDOW), fixed, { before, wait, after, skew });
        const sliding: RateLimit = { algorithm: 'SlidingWindow', ...of };
        expectAsNew(() => logOfAll(most, WINDOW), sliding, { before, wait, after, skew });
      }),
    );
  });

  const of = { requests: 5, windowMs: WINDOW };
  const bucket = { algorithm: 'TokenBucket', ...of, capacity: 7 } as const;
  it.each<[string, RateLimit, number]>([
    ['a window', { algorithm: 'FixedWindow', ...of, start: 'FirstRequest' }, CLOCK_WITHIN_MS + 1],
    ['a log', { algorithm: 'SlidingWindow', ...of }, CLOCK_WITHIN_MS + 1],
    // A window sooner the last one still counts by what is left of it.
    ['two counts', { algorithm: 'SlidingWindowCounter', ...of }, WINDOW],
    ['a bucket', { ...bucket, capacity: 5 }, CLOCK_WITHIN_MS + 1],
    // The last lump that it needs may be a whole one away.
    ['a bucket in lumps', { ...bucket, refillEveryMs: WINDOW }, WINDOW],
  ])('is not whole so much sooner: %s', (_, limit, sooner) => {
    const decide = modelOf(limit);
    const last = 1_000_000;
    const full = admittedAtOnce([limit]);
    for (let i = 0; i < full; i += 1) decide(last);
    const at = replenishedAt([limit], last) - sooner;
    const admitted = Array.from({ length: full }, () => decide(at)).filter(Boolean);
    expect(admitted.length).toBeLessThan(full);
  });
});

describe('a limit that was used up', () => {
  const minute = { requests: 30, windowMs: 60_000 };
  const window = (windowMs: number): RateLimit => ({ algorithm: 'SlidingWindow', requests: 5, windowMs });
  const bucket: RateLimit = { algorithm: 'TokenBucket', ...minute, capacity: 30 };

  it('a used-up window admits again after its length', () => {
    expect(returnsWithin([window(WINDOW)])).toBe(WINDOW + CLOCK_WITHIN_MS);
  });

  it('a used-up bucket admits again after one token, or two lumps', () => {
    expect(returnsWithin([bucket])).toBe(2000 + CLOCK_WITHIN_MS);
    expect(returnsWithin([{ ...bucket, refillEveryMs: 10_000 }])).toBe(22_000 + CLOCK_WITHIN_MS);
  });

  it('a run waits up to 75 s for a limit, and for none that takes longer', () => {
    expect(returnsWithin([window(74_000)])).toBe(75_000);
    expect(returnsWithin([window(74_001)])).toBeUndefined();
  });
});

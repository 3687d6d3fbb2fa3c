import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  limitsUpTo,
  modelOf,
  staggeredWindow,
} from '../../../../test/fixtures/subjects/ratelimiter/limits/limiter-models.ts';
import { rulesOf } from '../spec/schema.ts';
import {
  type FixedWindow,
  mostAdmitted,
  mostOf,
  type RateLimit,
  type Rules,
  type Span,
} from './rate-limit.ts';

const WINDOW = 1000;

const limits = limitsUpTo(12, WINDOW);

/** Gaps between requests, short ones and long ones, from some moment on. */
const traffic = fc
  .tuple(
    fc.integer({ min: 0, max: 2 * WINDOW }),
    fc.array(fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 1500 })), {
      minLength: 1,
      maxLength: 120,
    }),
  )
  .map(([start, gaps]) => {
    let at = start;
    return gaps.map((gap) => {
      at += gap;
      return at;
    });
  });

const admittedBy = (limit: RateLimit, times: readonly number[]): number[] => {
  const decide = modelOf(limit);
  return times.filter((at) => decide(at));
};

/** Every span between two admissions, with how many there were within. */
function* spansOf(admitted: readonly number[]): Generator<{ from: number; to: number; count: number }> {
  for (const [i, from] of admitted.entries()) {
    for (const [j, to] of admitted.entries()) if (j >= i) yield { from, to, count: j - i + 1 };
  }
}

const five = { requests: 5, windowMs: WINDOW };
const windows = (start: FixedWindow['start']): RateLimit => ({ ...five, algorithm: 'FixedWindow', start });
const bucket = { ...five, algorithm: 'TokenBucket', capacity: 7 } as const;
const log = { ...five, algorithm: 'SlidingWindow' } as const;
const dripping = Array.from({ length: 100 }, (_, i) => (i + 1) * 10);
const burst = (at: number, count = 50): number[] => Array.from({ length: count }, () => at);

describe('the most that a kept limit admits', () => {
  it('the bound of a kept limit is never exceeded in any span, known or not', () => {
    const skews = fc.integer({ min: 0, max: 300 });
    // The clock of the limiter may be faster; it counts in whole milliseconds.
    fc.assert(
      fc.property(limits, traffic, skews, fc.constantFrom(1, 1.0009), (limit, times, skew, rate) => {
        const decide = modelOf(limit);
        const admitted = times.filter((at) => decide(Math.floor(at * rate)));
        for (const { count, ...span } of spansOf(admitted)) {
          expect(count).toBeLessThanOrEqual(mostAdmitted(limit, span));
          // Our clock is `skew` behind that of the limiter.
          const ours = { from: span.from - skew, to: span.to - skew, clockWithinMs: skew };
          if (rate === 1) expect(count).toBeLessThanOrEqual(mostAdmitted(limit, ours));
          if (span.from !== times[0]) continue;
          expect(count).toBeLessThanOrEqual(mostAdmitted(limit, { ...span, fresh: true }));
        }
      }),
      { numRuns: 800 },
    );
  });

  it('of weighted counts is one limit within a window, and more across its end', () => {
    const limit: RateLimit = { algorithm: 'SlidingWindowCounter', ...five };
    expect(mostAdmitted(limit, { from: 100, to: 600, clockWithinMs: 50 })).toBe(5);
    expect(mostAdmitted(limit, { from: 600, to: 1100, clockWithinMs: 50 })).toBe(5 + 3 + 1);
  });

  it('does not shrink with a longer span, and not grow with what is known', () => {
    const at = fc.integer({ min: 0, max: 5000 });
    fc.assert(
      fc.property(limits, at, at, at, (limit, from, length, more) => {
        const to = from + length;
        const plain = mostAdmitted(limit, { from, to });
        expect(mostAdmitted(limit, { from, to: to + more })).toBeGreaterThanOrEqual(plain);
        for (const known of [{ fresh: true }, { clockWithinMs: 5 }] satisfies Partial<Span>[]) {
          expect(mostAdmitted(limit, { from, to, ...known })).toBeLessThanOrEqual(plain);
        }
      }),
    );
  });

  it.each<[string, RateLimit, number[], Omit<Span, 'from' | 'to'>, number]>([
    ['windows by the clock, across an end', windows('Clock'), [...burst(999), ...burst(1000)], {}, 10],
    ['one window by the clock, known to be one', windows('Clock'), burst(500), { clockWithinMs: 100 }, 5],
    [
      'one from the first request',
      windows('FirstRequest'),
      [...burst(100), ...burst(1099)],
      { fresh: true },
      5,
    ],
    [
      'two from the first request',
      windows('FirstRequest'),
      [...burst(100), ...burst(1100)],
      { fresh: true },
      10,
    ],
    ['two sliding windows', log, [...burst(100), ...burst(1100)], {}, 10],
    ['a bucket and its refill', bucket, [...burst(0), ...dripping], {}, 12],
    [
      'a bucket refilled each second',
      { ...bucket, refillEveryMs: 1000 },
      [...burst(999), ...burst(1000)],
      {},
      12,
    ],
  ])('is reached: %s', (_, limit, times, known, bound) => {
    const admitted = admittedBy(limit, times);
    expect(admitted).toHaveLength(bound);
    const span = { from: Math.min(...admitted), to: Math.max(...admitted), ...known };
    expect(mostAdmitted(limit, span)).toBe(bound);
  });
});

describe('the bound of a limit of which no rule is known', () => {
  const unknownOf = ({ requests }: Pick<RateLimit, 'requests'>): Rules =>
    rulesOf({ limit: { requests, window: '1s' } });

  it('is never exceeded by an algorithm that keeps the limit, or windows of any phase', () => {
    const known = fc.record({ fresh: fc.boolean(), clockWithinMs: fc.constantFrom(0, 100, undefined) });
    const phases = fc.option(fc.integer({ min: 0, max: WINDOW }));
    fc.assert(
      fc.property(limits, traffic, phases, known, (limit, times, phase, of) => {
        // A bucket of another size keeps another limit.
        if (limit.algorithm === 'TokenBucket') {
          fc.pre(limit.capacity <= limit.requests && !limit.refillEveryMs);
        }
        const decide = phase === null ? modelOf(limit) : staggeredWindow(limit, phase);
        const admitted = times.filter((at) => decide(at));
        for (const { count, ...span } of spansOf(admitted)) {
          expect(count).toBeLessThanOrEqual(mostOf(unknownOf(limit), { ...span, ...of }));
        }
      }),
      { numRuns: 1000 },
    );
  });

  it('is reached by a window that ends between two requests', () => {
    const decide = staggeredWindow(five, 300);
    const admitted = [...burst(299), ...burst(300)].filter((at) => decide(at));
    expect(admitted).toHaveLength(mostOf(unknownOf(five), { from: 299, to: 300 }));
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type Decide,
  lengtheningWindow,
  limitsUpTo,
  logOfAll,
  modelOf,
  staggeredWindow,
} from '../../../../test/fixtures/subjects/ratelimiter/limits/limiter-models.ts';
import { rulesOf } from '../spec/schema.ts';
import { owedOf } from './least-owed.ts';
import { admittedAtOnce, type RateLimit, type Rules } from './rate-limit.ts';
import { returnsWithin } from './window-turn.ts';

const WINDOW = 1000;

const limits = limitsUpTo(8, WINDOW);

interface Sent {
  readonly sentAt: number;
  readonly endedAt: number;
  readonly countedBy?: number;
  readonly isFailed: boolean;
  readonly isCounted: boolean;
  readonly decidedAt: number;
}

/** Requests that may overlap; failed ones may be counted long after their callers gave up, or never. */
const traffic: fc.Arbitrary<Sent[]> = fc
  .array(
    fc.record({
      gap: fc.oneof(fc.integer({ min: 0, max: 20 }), fc.integer({ min: 0, max: 1500 })),
      there: fc.integer({ min: 0, max: 60 }),
      back: fc.integer({ min: 0, max: 60 }),
      fate: fc.constantFrom('Answered', 'Answered', 'Answered', 'CountedLate', 'NeverCounted'),
      late: fc.integer({ min: 0, max: 700 }),
    }),
    { minLength: 1, maxLength: 80 },
  )
  .map((all) => {
    let at = 1_000_000;
    return all.map(({ back, fate, gap, late, there }) => {
      at += gap;
      const isFailed = fate !== 'Answered';
      const endedAt = at + there + back;
      return {
        sentAt: at,
        endedAt,
        ...(isFailed && { countedBy: endedAt + 700 }),
        isFailed,
        isCounted: fate !== 'NeverCounted',
        decidedAt: fate === 'CountedLate' ? endedAt + late : at + there,
      };
    });
  });

/** @param skewMs how far the limiter's clock is ahead, and by how much faster it runs */
function rejectedOwed(
  rules: Rules,
  requests: readonly Sent[],
  decide: Decide,
  clock: (at: number) => number,
): number[] {
  const decided = requests
    .toSorted((a, b) => a.decidedAt - b.decidedAt)
    .map((request) => {
      const isAdmitted = request.isCounted && decide(clock(request.decidedAt));
      return { ...request, isRejected: !isAdmitted && !request.isFailed };
    });
  return [...owedOf(rules, decided)].flatMap(({ isRejected, sentAt }) => (isRejected ? [sentAt] : []));
}

const clocks = fc
  .record({ skewMs: fc.integer({ min: -WINDOW, max: WINDOW }), rate: fc.constantFrom(1, 1.0009, 0.9991) })
  .map(
    ({ rate, skewMs }) =>
      (at: number) =>
        Math.floor(at * rate + skewMs),
  );

describe('what a limit still owes', () => {
  it('is admitted if the limit is kept, whatever overlaps, fails or counts late', () => {
    fc.assert(
      fc.property(limits, traffic, clocks, (limit, requests, clock) => {
        expect(rejectedOwed([limit], requests, modelOf(limit), clock)).toEqual([]);
      }),
      { numRuns: 2000 },
    );
  });

  it.each<[string, Partial<RateLimit>, typeof logOfAll]>([
    [
      'begins a window with each request',
      { algorithm: 'FixedWindow', start: 'EachRequest' },
      lengtheningWindow,
    ],
    ['counts what it rejects', { algorithm: 'SlidingWindow' }, logOfAll],
  ])('is admitted by a limiter that %s', (_, rule, modelBy) => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 8 }), traffic, clocks, (requests, sent, clock) => {
        const limit = { ...rule, requests, windowMs: WINDOW } as RateLimit;
        expect(rejectedOwed([limit], sent, modelBy(requests, WINDOW), clock)).toEqual([]);
      }),
      { numRuns: 1000 },
    );
  });

  it('if no rule is known, is no more than any algorithm or phase owes', () => {
    const phases = fc.option(fc.integer({ min: 0, max: WINDOW }));
    fc.assert(
      fc.property(limits, traffic, clocks, phases, (limit, requests, clock, phase) => {
        // A bucket of another size keeps another limit.
        if (limit.algorithm === 'TokenBucket')
          fc.pre(limit.capacity >= limit.requests && !limit.refillEveryMs);
        const unknown = rulesOf({ limit: { requests: limit.requests, window: '1s' } });
        const decide = phase === null ? modelOf(limit) : staggeredWindow(limit, phase);
        expect(rejectedOwed(unknown, requests, decide, clock)).toEqual([]);
      }),
      { numRuns: 500 },
    );
  });

  it('is the whole limit of a new caller, and one request or all once it has returned', () => {
    fc.assert(
      fc.property(limits, (limit) => {
        const full = admittedAtOnce([limit]);
        const at = (sentAt: number) => ({ sentAt, endedAt: sentAt, isRejected: true });
        const used = Array.from({ length: 2 * full }, (_, i) => at(1000 + i));
        expect([...owedOf([limit], used)]).toEqual(used.slice(0, full));
        const returned = 1000 + 2 * full + (returnsWithin([limit]) ?? NaN);
        const later = used.map((_, i) => at(returned + i));
        const owed = owedOf([limit], [...used, ...later]);
        const isWhole = ['FixedWindow', 'SlidingWindow'].includes(limit.algorithm);
        expect(later.slice(0, isWhole ? full : 1).every((one) => owed.has(one))).toBe(true);
        expect(later.slice(full).some((one) => owed.has(one))).toBe(false);
      }),
    );
  });
});

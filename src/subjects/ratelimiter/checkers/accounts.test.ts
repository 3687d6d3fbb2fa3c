import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { modelOf } from '../../../../test/fixtures/subjects/ratelimiter/limits/limiter-models.ts';
import type { RateLimit } from '../limits/rate-limit.ts';
import { balanceOf } from './accounts.ts';

const limit: RateLimit = { algorithm: 'FixedWindow', requests: 10, windowMs: 60_000, start: 'FirstRequest' };
const span = { from: 0, to: 20_000, fresh: true };

describe('the accounts after a fault', () => {
  it.each([
    [
      'all that was served was counted',
      { served: 4, notAdmitted: 0, admittedAfter: 6 },
      { underCounted: 0, overCounted: 0, withoutRequest: 0 },
    ],
    [
      'nothing of it was counted',
      { served: 4, notAdmitted: 0, admittedAfter: 10 },
      { underCounted: 4, overCounted: 0, withoutRequest: 0 },
    ],
    [
      'those that got an error were counted',
      { served: 1, notAdmitted: 5, admittedAfter: 4 },
      { underCounted: 0, overCounted: 5, withoutRequest: 0 },
    ],
    [
      'those that got an error were not',
      { served: 1, notAdmitted: 5, admittedAfter: 9 },
      { underCounted: 0, overCounted: 0, withoutRequest: 0 },
    ],
    [
      'more is missing than was asked for',
      { served: 1, notAdmitted: 2, admittedAfter: 3 },
      { underCounted: 0, overCounted: 2, withoutRequest: 4 },
    ],
    [
      'those that were served were counted twice',
      { served: 3, notAdmitted: 0, admittedAfter: 4 },
      { underCounted: 0, overCounted: 0, withoutRequest: 3 },
    ],
  ])('%s', (_, counts, balance) => {
    expect(balanceOf(limit, { ...counts, span })).toEqual({ ...balance, hidden: 0 });
  });

  it('show nothing more of a caller that was served all of its limit', () => {
    const account = { served: 10, notAdmitted: 0, admittedAfter: 0, span };
    expect(balanceOf(limit, account)).toEqual({
      underCounted: 0,
      overCounted: 0,
      withoutRequest: 0,
      hidden: 1,
    });
  });

  it('are not known where a window may have ended meanwhile', () => {
    const late = { ...span, to: 61_000 };
    expect(balanceOf(limit, { served: 4, notAdmitted: 0, admittedAfter: 10, span: late })).toEqual({
      unknown: { code: 'WindowMayHaveEnded' },
    });
  });

  it('allow for tokens that came back', () => {
    const bucket: RateLimit = { algorithm: 'TokenBucket', requests: 60, windowMs: 60_000, capacity: 10 };
    const fiveSeconds = { from: 0, to: 5000 };
    const of = (admittedAfter: number) =>
      balanceOf(bucket, { served: 4, notAdmitted: 3, admittedAfter, span: fiveSeconds });
    // Five of them may hide as many of each.
    expect(of(11)).toEqual({ underCounted: 0, overCounted: 0, withoutRequest: 0, hidden: 5 });
    expect(of(13)).toEqual({ underCounted: 2, overCounted: 0, withoutRequest: 0, hidden: 5 });
    expect(of(3)).toEqual({ underCounted: 0, overCounted: 3, withoutRequest: 0, hidden: 5 });
  });

  it('are balanced for a limiter that counts each request it serves', () => {
    const buckets = fc.record({
      algorithm: fc.constant('TokenBucket' as const),
      requests: fc.integer({ min: 1, max: 60 }),
      windowMs: fc.constant(60_000),
      capacity: fc.integer({ min: 1, max: 20 }),
    });
    fc.assert(
      fc.property(
        fc.oneof(fc.constant(limit), buckets),
        fc.array(fc.integer({ min: 0, max: 500 }), { minLength: 1, maxLength: 20 }),
        (kept, gaps) => {
          const decide = modelOf(kept);
          let at = 0;
          let served = 0;
          let notAdmitted = 0;
          for (const gap of gaps) {
            at += gap;
            if (decide(at)) served += 1;
            else notAdmitted += 1;
          }
          let admittedAfter = 0;
          while (decide(at)) admittedAfter += 1;
          const balance = balanceOf(kept, {
            served,
            notAdmitted,
            admittedAfter,
            span: { from: 0, to: at, fresh: true },
          });
          expect(balance).toMatchObject({ underCounted: 0, withoutRequest: 0 });
          if (kept === limit) expect(balance).toMatchObject({ overCounted: 0 });
        },
      ),
    );
  });
});

describe('the accounts of one caller that made all requests', () => {
  const of = (served: number, notAdmitted: number, admittedAfter: number) =>
    balanceOf(limit, { served, notAdmitted, admittedAfter, span }, true);

  it.each<[string, number, number, number, object]>([
    ['nobody was served, and nothing is left', 0, 30, 0, { underCounted: 0, overCounted: 10 }],
    ['nobody was served, and all is left', 0, 30, 10, { underCounted: 0, overCounted: 0 }],
    ['the limit was served, and nothing is left', 10, 20, 0, { underCounted: 0, overCounted: 0 }],
    ['more than the limit was served, and all is left', 30, 0, 10, { underCounted: 30, overCounted: 0 }],
  ])('are known where %s', (_, served, notAdmitted, admittedAfter, balance) => {
    expect(of(served, notAdmitted, admittedAfter)).toMatchObject(balance);
  });

  it('accounts are unknown if over the limit was admitted with nothing remaining', () => {
    expect(of(30, 0, 0)).toEqual({ unknown: { code: 'CountHidden' } });
  });

  it('are not known where a window may have ended meanwhile', () => {
    const late = { ...span, to: 61_000 };
    expect(balanceOf(limit, { served: 0, notAdmitted: 9, admittedAfter: 0, span: late }, true)).toEqual({
      unknown: { code: 'WindowMayHaveEnded' },
    });
  });
});

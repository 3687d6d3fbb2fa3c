import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { modelOf } from '../../../../test/fixtures/subjects/ratelimiter/limits/limiter-models.ts';
import { type AdmittedRequest, overAdmission } from './over-admission.ts';
import { type RateLimit } from './rate-limit.ts';

const limit: RateLimit = { algorithm: 'FixedWindow', requests: 5, windowMs: 1000, start: 'FirstRequest' };

/** Requests that take up to 200 ms there and back, decided somewhere in between. */
const requests = fc.array(
  fc.record({
    decidedAt: fc.integer({ min: 1000, max: 4000 }),
    there: fc.integer({ min: 0, max: 100 }),
    back: fc.integer({ min: 0, max: 100 }),
  }),
  { maxLength: 150 },
);

const admittedOf = (
  decide: (at: number) => boolean,
  all: readonly { decidedAt: number; there: number; back: number }[],
): AdmittedRequest[] =>
  all
    .toSorted((a, b) => a.decidedAt - b.decidedAt)
    .filter(({ decidedAt }) => decide(decidedAt))
    .map(({ back, decidedAt, there }) => ({ sentAt: decidedAt - there, endedAt: decidedAt + back }));

describe('over-admission by the count of the sender', () => {
  it('is 0 for a limiter that keeps its limit, however long its answers take', () => {
    fc.assert(
      fc.property(requests, (all) => {
        const firstSentAt = Math.min(...all.map(({ decidedAt, there }) => decidedAt - there));
        expect(overAdmission([limit], admittedOf(modelOf(limit), all), { firstSentAt }).excess).toBe(0);
      }),
      { numRuns: 300 },
    );
  });

  it('is never more than what really was admitted beyond the limit', () => {
    fc.assert(
      fc.property(requests, (all) => {
        const { excess, admitted, bound } = overAdmission(
          [limit],
          admittedOf(() => true, all),
          { firstSentAt: 0 },
        );
        const strict = admittedOf(modelOf(limit), all).length;
        expect(excess).toBeLessThanOrEqual(all.length - Math.min(strict, all.length));
        if (excess > 0) expect(admitted - bound).toBe(excess);
      }),
      { numRuns: 300 },
    );
  });

  const at = (count: number, sentAt: number, endedAt = sentAt + 10): AdmittedRequest[] =>
    Array.from({ length: count }, () => ({ sentAt, endedAt }));

  it('has the time at which the limit was first exceeded, before its maximum', () => {
    const one = [...at(6, 0), ...at(3, 200)];
    expect(overAdmission([limit], one, { firstSentAt: 0 })).toMatchObject({
      excess: 4,
      to: 210,
      exceededAt: 10,
    });
    expect(overAdmission([limit], at(5, 0), { firstSentAt: 0 }).exceededAt).toBeUndefined();
  });

  it('over-admission is found late among more requests than spans are tried', () => {
    const kept = Array.from({ length: 400 }, (_, i) => ({ sentAt: i * 1000, endedAt: i * 1000 + 10 }));
    const burst = Array.from({ length: 40 }, (_, i) => ({ sentAt: 500_000 + i, endedAt: 500_050 }));
    const { excess, from } = overAdmission([limit], [...kept, ...burst], { firstSentAt: 0 });
    // Every third or fourth request begins a span that is tried.
    expect(excess).toBeGreaterThanOrEqual(40 - 10 - 4);
    expect(excess).toBeLessThanOrEqual(40 - 10);
    expect(from).toBeGreaterThanOrEqual(500_000);
  });
});

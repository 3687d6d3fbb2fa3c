import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { modelOf } from '../../../../test/fixtures/subjects/ratelimiter/limits/limiter-models.ts';
import { overAdmission } from '../limits/over-admission.ts';
import type { RateLimit } from '../limits/rate-limit.ts';
import { type Leak, leakingPods, type PodAdmission } from './outage-seen.ts';

const PODS = ['a', 'b', 'c'];
const FAULT_FROM = 10_000;
const BUCKET: RateLimit = { algorithm: 'TokenBucket', requests: 10, windowMs: 60_000, capacity: 10 };
const limits: readonly RateLimit[] = [
  BUCKET,
  { algorithm: 'TokenBucket', requests: 5, windowMs: 4000, capacity: 7, refillEveryMs: 1000 },
  { algorithm: 'FixedWindow', requests: 5, windowMs: 4000, start: 'FirstRequest' },
  { algorithm: 'FixedWindow', requests: 10, windowMs: 60_000, start: 'Clock' },
  { algorithm: 'SlidingWindow', requests: 5, windowMs: 4000 },
  { algorithm: 'SlidingWindowCounter', requests: 5, windowMs: 4000 },
];

const admitted = (pod: string, sentAt: number): PodAdmission => ({ pod, sentAt, endedAt: sentAt + 1 });

/** What one caller was admitted, before the fault and in it. */
function callerOf(limit: RateLimit, all: readonly PodAdmission[]): Leak {
  return {
    before: all.filter(({ endedAt }) => endedAt <= FAULT_FROM),
    since: all.filter(({ endedAt }) => endedAt > FAULT_FROM),
    excessOf: (some) => overAdmission([limit], some, { firstSentAt: 0, clockWithinMs: 0 }).excess,
  };
}

const leaking = (...callers: Leak[]) => [...leakingPods(callers)].toSorted();

describe('a pod leaks by what it admitted itself', () => {
  const exhausted = Array.from({ length: 10 }, (_, i) => admitted('a', i));
  const at18s = (pod: string, count: number) =>
    Array.from({ length: count }, (_, i) => admitted(pod, 18_000 + i));

  it('on top of what all admitted before', () => {
    // Three tokens have come back.
    expect(leaking(callerOf(BUCKET, [...exhausted, ...at18s('a', 30), ...at18s('b', 3)]))).toEqual(['a']);
  });

  it('or with others, where each gives away once more what has come back', () => {
    expect(leaking(callerOf(BUCKET, [...exhausted, ...at18s('a', 3), ...at18s('b', 3)]))).toEqual(['a', 'b']);
  });

  it('which another caller may show: then the others are not blamed for it', () => {
    const shared = callerOf(BUCKET, [...at18s('a', 6), ...at18s('b', 5), ...at18s('c', 5)]);
    expect(leaking(shared)).toEqual(['a', 'b', 'c']);
    expect(leaking(shared, callerOf(BUCKET, [...exhausted, ...at18s('a', 8)]))).toEqual(['a']);
  });

  it('and not while it keeps the shared limit', () => {
    const requests = fc.array(
      fc.record({ pod: fc.constantFrom(...PODS), sentAt: fc.integer({ min: 0, max: 19_000 }) }),
      { maxLength: 120 },
    );
    fc.assert(
      fc.property(fc.constantFrom(...limits), requests, (limit, all) => {
        const keeps = modelOf(limit);
        const got = all
          .toSorted((one, other) => one.sentAt - other.sentAt)
          .filter(({ pod, sentAt }) => (pod === 'a' && sentAt >= FAULT_FROM) || keeps(sentAt))
          .map(({ pod, sentAt }) => admitted(pod, sentAt));
        const caller = callerOf(limit, got);
        const isOver = caller.excessOf(got) > 0;
        const found = leaking(caller);
        expect(found.includes('a')).toBe(isOver);
        const alone =
          caller.excessOf(got.filter(({ pod, sentAt }) => pod === 'a' || sentAt < FAULT_FROM)) > 0;
        if (alone) expect(found).toEqual(['a']);
      }),
      { numRuns: 300 },
    );
  });
});

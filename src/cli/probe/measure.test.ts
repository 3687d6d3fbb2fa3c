import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type Decide,
  modelOf,
  staggeredWindow,
} from '../../../test/fixtures/subjects/ratelimiter/limits/limiter-models.ts';
import { measureBucket, measureWindow } from './measure.ts';

const fixed = (requests: number, windowMs: number): Decide =>
  modelOf({ algorithm: 'FixedWindow', requests, windowMs, start: 'FirstRequest' });
const byClock = (requests: number, windowMs: number): Decide =>
  modelOf({ algorithm: 'FixedWindow', requests, windowMs, start: 'Clock' });
const log = (requests: number, windowMs: number): Decide =>
  modelOf({ algorithm: 'SlidingWindow', requests, windowMs });
/** Unlike the model of that name, it rounds nothing. */
const weighted = (requests: number, ms: number): Decide => {
  const used = new Map<number, number>();
  return (now) => {
    const window = Math.floor(now / ms);
    const before = (used.get(window - 1) ?? 0) * (1 - (now % ms) / ms);
    if (before + (used.get(window) ?? 0) + 1 > requests) return false;
    used.set(window, (used.get(window) ?? 0) + 1);
    return true;
  };
};
const bucket = (requests: number, windowMs: number): Decide =>
  modelOf({ algorithm: 'TokenBucket', requests, windowMs, capacity: requests });

/** A caller, in simulated time in which each request takes some milliseconds. */
function callerOf(limiter: Decide, begin: number, takesMs = 5) {
  let time = begin;
  const useOf =
    (decide: Decide) =>
    async (most: number): Promise<number> => {
      for (let admitted = 0; admitted < most; admitted += 1) {
        time += takesMs / 2;
        const isAdmitted = decide(time);
        time += takesMs / 2;
        if (!isAdmitted) return admitted;
      }
      return most;
    };
  return {
    use: useOf(limiter),
    useOf,
    clock: { now: () => time, sleep: async (ms: number) => void (time += Math.max(0, ms)) },
  };
}

/** A window that is measured with a caller that has used its limit up. */
async function windowOf(limiter: Decide, requests: number, begin: number, takesMs?: number, other?: Decide) {
  const { clock, use, useOf } = callerOf(limiter, begin, takesMs);
  await use(requests + 1);
  return await measureWindow(use, { firstAt: begin, requests }, clock, other && useOf(other));
}

describe('a window that is measured', () => {
  const worlds = fc.record({
    limit: fc.integer({ min: 1, max: 40 }),
    windowMs: fc.integer({ min: 1, max: 60 }).map((seconds) => 1000 * seconds),
    start: fc.constantFrom('Clock', 'FirstRequest', 'Staggered'),
    begin: fc.integer({ min: 1_700_000_000_000, max: 1_700_000_100_000 }),
    answerMs: fc.integer({ min: 1, max: 20 }),
    apart: fc.double({ min: 0, max: 1, noNaN: true }),
  });

  it('is the one of the limiter, or none, wherever the caller began', async () => {
    await fc.assert(
      fc.asyncProperty(worlds, async ({ answerMs, apart, begin, limit, start, windowMs }) => {
        // Windows of two callers that end almost together may be the same.
        fc.pre(start !== 'Staggered' || windowMs > 4000);
        const limiterOf = (laterMs: number): Decide =>
          start === 'Staggered'
            ? staggeredWindow({ requests: limit, windowMs }, laterMs)
            : (start === 'Clock' ? byClock : fixed)(limit, windowMs);
        const other = limiterOf(2000 + apart * (windowMs - 4000));
        const { bucketSeconds, window } = await windowOf(limiterOf(0), limit, begin, answerMs, other);
        expect(bucketSeconds).toBeUndefined();
        if (!window) return;
        expect(window.seconds * 1000).toBe(windowMs);
        expect(window.start).toBeOneOf([start, 'Unknown']);
      }),
      { numRuns: 1000 },
    );
  });

  it('has an unknown start if the caller began with a window by the clock', async () => {
    const measured = await windowOf(byClock(10, 12_000), 10, 12_000 * 141_666_667);
    expect(measured).toEqual({ window: { seconds: 12, start: 'Unknown' } });
  });

  it('is not known if nothing comes back in time, or by weighted counts', async () => {
    expect(await windowOf(fixed(10, 3_600_000), 10, 0)).toEqual({});
    // They return one request after the other, but not before a window has ended.
    expect(await windowOf(weighted(20, 60_000), 20, 1_700_000_003_300)).toEqual({});
  });

  it('is not known if a step of a bucket comes back', async () => {
    const figures = { requests: 20, windowMs: 2_000, capacity: 20, refillEveryMs: 1_000 };
    const stepped = modelOf({ algorithm: 'TokenBucket', ...figures });
    expect(await windowOf(stepped, 20, 1_700_000_003_300)).toEqual({});
  });

  it('is none of a bucket, which returns one request after the other', async () => {
    const { bucketSeconds = 0 } = await windowOf(bucket(10, 60_000), 10, 0);
    expect(Math.round(bucketSeconds)).toBe(60);
  });
});

describe('a bucket whose window is known', () => {
  const known = { requests: 10, seconds: 60 };
  const measured = async (limiter: Decide, changes: Partial<typeof known> = {}) => {
    const { clock, use } = callerOf(limiter, 1_700_000_003_300);
    await use(11);
    return await measureBucket(use, { ...known, ...changes }, clock);
  };

  it('returns one request in its share of the window', async () => {
    expect(await measured(bucket(10, 60_000))).toEqual({ bucketSeconds: 60 });
    for (const limiter of [fixed, byClock, log]) expect(await measured(limiter(10, 60_000))).toEqual({});
  });

  it('is not shown by a window that ends just then, a limit of one, or a long wait', async () => {
    expect(await measured(fixed(10, 3_000))).toEqual({});
    expect(await measured(bucket(10, 600_000), { seconds: 600 })).toEqual({});
    expect(await measured(bucket(1, 5_000), { requests: 1, seconds: 5 })).toEqual({});
  });
});

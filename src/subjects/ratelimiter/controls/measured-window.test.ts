import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type Decide,
  modelOf,
  staggeredWindow,
} from '../../../../test/fixtures/subjects/ratelimiter/limits/limiter-models.ts';
import { measureWindow } from './measured-window.ts';

const fixed = (requests: number, windowMs: number): Decide =>
  modelOf({ algorithm: 'FixedWindow', requests, windowMs, start: 'FirstRequest' });
const byClock = (requests: number, windowMs: number): Decide =>
  modelOf({ algorithm: 'FixedWindow', requests, windowMs, start: 'Clock' });
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
  const use = async (most: number): Promise<number> => {
    for (let admitted = 0; admitted < most; admitted += 1) {
      time += takesMs / 2;
      const isAdmitted = limiter(time);
      time += takesMs / 2;
      if (!isAdmitted) return admitted;
    }
    return most;
  };
  return {
    use,
    clock: { now: () => time, sleep: async (ms: number) => void (time += Math.max(0, ms)) },
  };
}

/** A window that is measured with a caller that has used its limit up. */
async function windowOf(limiter: Decide, requests: number, begin: number, takesMs?: number) {
  const { clock, use } = callerOf(limiter, begin, takesMs);
  await use(requests + 1);
  return await measureWindow(use, requests, clock);
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
    let [all, known] = [0, 0];
    await fc.assert(
      fc.asyncProperty(worlds, async ({ answerMs, apart, begin, limit, start, windowMs }) => {
        const limiter =
          start === 'Staggered'
            ? staggeredWindow({ requests: limit, windowMs }, apart * windowMs)
            : (start === 'Clock' ? byClock : fixed)(limit, windowMs);
        const { bucketSeconds, windowSeconds } = await windowOf(limiter, limit, begin, answerMs);
        expect(bucketSeconds).toBeUndefined();
        all += 1;
        if (windowSeconds === undefined) return;
        known += 1;
        expect(windowSeconds * 1000).toBe(windowMs);
      }),
      { numRuns: 1000 },
    );
    expect(known / all).toBeGreaterThan(0.95);
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

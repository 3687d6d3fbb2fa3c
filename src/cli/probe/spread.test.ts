import { describe, expect, it } from 'vitest';
import { canSpread, countingOf, spread } from './spread.ts';

type Limiter = (now: number) => boolean;

/** Limits of `requests` in `ms`, as people write them. */
const fixed = (requests: number, ms: number): Limiter => {
  let [begin, used] = [-Infinity, 0];
  return (now) => {
    if (now - begin >= ms) [begin, used] = [now, 0];
    used += 1;
    return used <= requests;
  };
};
const byClock = (requests: number, ms: number): Limiter => {
  const used = new Map<number, number>();
  return (now) => {
    const window = Math.floor(now / ms);
    used.set(window, (used.get(window) ?? 0) + 1);
    return (used.get(window) ?? 0) <= requests;
  };
};
const log = (requests: number, ms: number): Limiter => {
  let times: number[] = [];
  return (now) => {
    times = times.filter((time) => now - time < ms);
    if (times.length >= requests) return false;
    times.push(now);
    return true;
  };
};
const weighted = (requests: number, ms: number): Limiter => {
  const used = new Map<number, number>();
  return (now) => {
    const window = Math.floor(now / ms);
    const before = (used.get(window - 1) ?? 0) * (1 - (now % ms) / ms);
    if (before + (used.get(window) ?? 0) + 1 > requests) return false;
    used.set(window, (used.get(window) ?? 0) + 1);
    return true;
  };
};

/** How the limiter counts, in a simulated time in which each request takes some milliseconds. */
async function found(limiter: Limiter, requests: number, seconds: number, begin: number, takesMs = 5) {
  let now = begin;
  const send = async (): Promise<boolean> => {
    now += takesMs;
    return limiter(now);
  };
  const clock = { now: () => now, sleep: async (ms: number) => void (now += ms) };
  const shown = await spread(send, requests, seconds, clock);
  return shown && countingOf(shown);
}

const begins = Array.from({ length: 20 }, (_, i) => 1_800_000_000_000 + i * 3_100);
const cases = [
  [20, 60],
  [5, 60],
  [100, 30],
  [10, 5],
].flatMap(([requests = 0, seconds = 0]) => begins.map((begin) => ({ requests, seconds, begin })));

describe('a limit that is used in two parts', () => {
  it.each([
    ['a window from the first request', fixed, 'FixedWindow'],
    ['a window by the clock', byClock, 'FixedWindow'],
    ['a log', log, 'SlidingWindow'],
  ])('shows %s or nothing, whenever it begins', async (_, limiter, counting) => {
    const all = await Promise.all(
      cases.map(({ begin, requests, seconds }) =>
        found(limiter(requests, seconds * 1000), requests, seconds, begin),
      ),
    );
    expect(all.filter((each) => each !== counting && each !== undefined)).toEqual([]);
    // Of 80. If all that fits is a request apart, nothing is shown.
    expect(all.filter((each) => each === counting).length).toBeGreaterThan(75);
  });

  it('shows weighted counts of two windows, or nothing', async () => {
    const all = await Promise.all(
      cases.map(({ begin, requests, seconds }) =>
        found(weighted(requests, seconds * 1000), requests, seconds, begin),
      ),
    );
    expect(new Set(all)).toEqual(new Set(['SlidingWindowCounter', undefined]));
    expect(all.filter((each) => each !== undefined).length).toBeGreaterThan(40);
  });

  it.each([
    [1, 60, false],
    [2, 60, true],
    [100, 60, true],
    [101, 60, false],
    [20, 61, false],
    [20, 3, false],
  ])('of %d in %d s is worth it: %s', (requests, seconds, expected) => {
    expect(canSpread(requests, seconds)).toBe(expected);
  });
});

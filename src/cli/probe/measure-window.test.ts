import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { measureWindow } from './measure-window.ts';

interface World {
  readonly limit: number;
  readonly windowMs: number;
  readonly byClock: boolean;
  /** When the caller used its limit up; milliseconds. */
  readonly from: number;
  /** An answer takes so long; milliseconds. */
  readonly answerMs: number;
}

/** What is measured of a limiter that keeps such a window, in time that passes only as the probe waits. */
async function measured({ answerMs, byClock, from, limit, windowMs }: World) {
  let [time, begun, used] = [from, byClock ? from - (from % windowMs) : from, limit];
  const isAdmitted = async (): Promise<boolean> => {
    time += answerMs / 2;
    if (time >= begun + windowMs) {
      begun = byClock ? time - (time % windowMs) : time;
      used = 0;
    }
    used += 1;
    const isWithin = used <= limit;
    time += answerMs / 2;
    return isWithin;
  };
  const sleep = async (ms: number): Promise<void> => void (time += ms);
  return await measureWindow(isAdmitted, { firstAt: from, requests: limit }, { now: () => time, sleep });
}

const worlds = fc.record<World>({
  limit: fc.integer({ min: 1, max: 40 }),
  windowMs: fc.integer({ min: 1, max: 60 }).map((seconds) => 1000 * seconds),
  byClock: fc.boolean(),
  from: fc.integer({ min: 1_700_000_000_000, max: 1_700_000_100_000 }),
  answerMs: fc.integer({ min: 1, max: 20 }),
});

describe('a window that is measured', () => {
  it('is the one of the limiter, or none, wherever the caller began', async () => {
    await fc.assert(
      fc.asyncProperty(worlds, async (world) => {
        const found = await measured(world);
        if (!found) return;
        expect(found.seconds * 1000).toBe(world.windowMs);
        expect(found.start === 'Clock').toBe(world.byClock);
      }),
      { numRuns: 500 },
    );
  });

  it.each([12, 60])('is found for a window of %i s', async (seconds) => {
    const world = { limit: 10, windowMs: 1000 * seconds, from: 1_700_000_003_300, answerMs: 4 };
    for (const byClock of [false, true]) {
      expect(await measured({ ...world, byClock })).toEqual({
        seconds,
        start: byClock ? 'Clock' : 'FirstRequest',
      });
    }
  });

  it('is not known if the caller gets one request after the other, or nothing in time', async () => {
    let admitted = false;
    let time = 0;
    const clock = { now: () => time, sleep: async (ms: number) => void (time += ms) };
    const known = { firstAt: 0, requests: 10 };
    const oneByOne = async (): Promise<boolean> => {
      admitted = time > 3000 && !admitted;
      return admitted;
    };
    expect(await measureWindow(oneByOne, known, clock)).toBeUndefined();
    expect(await measureWindow(async () => false, known, clock)).toBeUndefined();
  });
});

import { describe, expect, it } from 'vitest';
import { momentOf } from './clock-offset.ts';

const never = new AbortController().signal;
/** The clock of Redis is ahead of the local one by an hour. */
const AHEAD_MS = 3_600_000;
const ASKED_AT = 1_000_000;
const READ_AT = ASKED_AT + 5_000;

/** Of an answer that was read five seconds after the question, and given `afterMs` after it. */
function momentAfter(afterMs: number, time: () => Promise<number>): Promise<number> {
  const answered = { at: READ_AT, redisAt: ASKED_AT + afterMs + AHEAD_MS };
  return momentOf({ time }, answered, ASKED_AT, () => READ_AT, 50, never);
}

describe('the moment of an answer of Redis', () => {
  const ahead = async () => READ_AT + AHEAD_MS;

  it('is when Redis gave it, however late it was read', async () => {
    expect(Math.round(await momentAfter(2_000, ahead))).toBe(ASKED_AT + 2_000);
  });

  it.each([
    ['the clock of Redis was set forward since', 2_000, async () => READ_AT + 2 * AHEAD_MS],
    ['the clock of Redis was set back since', 2_000, async () => READ_AT],
    ['the clocks cannot be compared', 2_000, () => Promise.reject(new Error('gone'))],
    ['comparing them takes too long', 2_000, () => new Promise<number>(() => undefined)],
  ])('is when it was read where %s', async (_, afterMs, time) => {
    expect(await momentAfter(afterMs, time)).toBe(READ_AT);
  });
});

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { REFUSALS } from '../../engine/subject.ts';
import { BorrowedPermit, LentPermit } from './permits.ts';

let refusal: string | undefined;
let responds = true;

function lend(): { lent: LentPermit; borrowed: BorrowedPermit } {
  const lent = new LentPermit({ refusal: () => refusal }, () => responds);
  return { lent, borrowed: new BorrowedPermit(lent.memory) };
}

beforeEach(() => {
  vi.useFakeTimers();
  refusal = undefined;
  responds = true;
});

afterEach(() => {
  vi.useRealTimers();
});

describe('a permit that is lent to another thread', () => {
  it('holds as long as it is renewed', () => {
    const { borrowed, lent } = lend();
    for (let i = 0; i < 50; i += 1) {
      expect(borrowed.refusal()).toBeUndefined();
      vi.advanceTimersByTime(100);
    }
    lent.end();
    expect(borrowed.refusal()).toBe(REFUSALS.ended);
  });

  it.each(Object.values(REFUSALS))('is refused for the reason of the thread that leads: %s', (why) => {
    const { borrowed, lent } = lend();
    refusal = why;
    lent.renew();
    expect(borrowed.refusal()).toBe(why);
  });

  it('is over 500 ms after the thread that leads stood still', () => {
    const { borrowed, lent } = lend();
    // Its timers do not run, and the clock does.
    vi.setSystemTime(Date.now());
    const now = performance.now();
    vi.spyOn(performance, 'now').mockReturnValue(now + 499);
    expect(borrowed.refusal()).toBeUndefined();
    vi.spyOn(performance, 'now').mockReturnValue(now + 501);
    expect(borrowed.refusal()).toMatch('renew');
    lent.end();
  });

  it('is not renewed for a thread that does not respond', () => {
    const { borrowed, lent } = lend();
    responds = false;
    vi.advanceTimersByTime(600);
    expect(borrowed.refusal()).toBeDefined();
    responds = true;
    vi.advanceTimersByTime(100);
    expect(borrowed.refusal()).toBeUndefined();
    lent.end();
  });
});

import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { backoffDelay, Deadline, sleep } from './wait.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('sleep', () => {
  it('ends early with the reason of the signal, and leaves no timer', async () => {
    const abort = new AbortController();
    const reason = new Error('enough');
    const sleeping = sleep(1000, abort.signal);
    abort.abort(reason);
    await expect(sleeping).rejects.toBe(reason);
    await expect(sleep(1000, abort.signal)).rejects.toBe(reason);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('does not fire at once for a delay longer than timers can count', async () => {
    const abort = new AbortController();
    let awake = false;
    const sleeping = sleep(1e12, abort.signal).then(() => {
      awake = true;
    });
    await vi.advanceTimersByTimeAsync(1000);
    expect(awake).toBe(false);
    abort.abort(new Error('enough'));
    await expect(sleeping).rejects.toThrow('enough');
  });
});

describe('Deadline', () => {
  it('aborts when one of its times has passed, unless that was set again', () => {
    const deadline = new Deadline();
    const late = (): Error => new Error('late');
    deadline.set('idle', 100, late);
    vi.advanceTimersByTime(60);
    deadline.set('idle', 100, late);
    vi.advanceTimersByTime(60);
    expect(deadline.signal.aborted).toBe(false);
    vi.advanceTimersByTime(40);
    expect(deadline.signal.reason).toEqual(new Error('late'));
  });

  it('aborts with its parent until released', () => {
    const parent = new AbortController();
    const bound = new Deadline(parent.signal);
    const free = new Deadline(parent.signal);
    free.set('x', 10, () => new Error('late'));
    free.release();
    parent.abort(new Error('enough'));
    vi.advanceTimersByTime(20);
    expect(bound.signal.reason).toEqual(new Error('enough'));
    expect(free.signal.aborted).toBe(false);
    expect(new Deadline(parent.signal).signal.aborted).toBe(true);
  });
});

it('backoff stays between half the base and the bound', () => {
  const options = { baseMs: 10, maxMs: 1000 };
  fc.assert(
    fc.property(fc.nat(), (failures) => {
      const delay = backoffDelay(failures, options);
      expect(delay).toBeGreaterThanOrEqual(5);
      expect(delay).toBeLessThanOrEqual(1000);
    }),
  );
});

import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { backoffDelay, sleep } from './wait.ts';

beforeEach(() => void vi.useFakeTimers({ fakeNodeBuiltins: true }));
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

/** The clocks of the system. */
import type { Clock } from '../demo/clock.ts';
import { sleep } from '../kube/wait.ts';

/**
 * Both clocks of this process. The wall clock has fractions of a millisecond,
 * counted on from its last whole one by the monotonic clock, and follows a step
 * of the system's at once.
 */
export function createSystemClock(
  wall: () => number = Date.now,
  monotonic: () => number = () => performance.now(),
): Clock {
  let anchor = { wall: wall(), monotonic: monotonic() };
  return {
    now() {
      const whole = wall();
      const counted = anchor.wall + (monotonic() - anchor.monotonic);
      // What was counted lies within the millisecond that the system shows; if not, the anchor is out of date.
      const now = Math.min(Math.max(counted, whole), whole + LAST_OF_A_MS);
      if (now !== counted) anchor = { wall: now, monotonic: monotonic() };
      return now;
    },
    monotonic,
    sleep,
  };
}

/** The end of a millisecond: a count that runs ahead of the system waits there. */
const LAST_OF_A_MS = 0.999;

/**
 * The clock of this process: the wall clock of the system as last followed, plus the monotonic time since. A wall clock
 * that is set, or jumps on synchronization, therefore changes no judgement of an active run: differences stay right,
 * and times in a status may be off from the time of day by the step until the clock is followed again.
 */

import { sleep } from '@chaosdemo/kube-runtime';
import type { SystemClock } from '../shell/ports.ts';

/**
 * How far the two may be apart before it counts as a step, in milliseconds: the system clock has a resolution of 1 ms.
 */
const STEP_MS = 20;

/** The clock of this process, starting now. Times have a fraction of a millisecond. */
export function createSystemClock(
  wall: () => number = Date.now,
  monotonic: () => number = () => performance.now(),
): SystemClock {
  let offset = wall() - monotonic();
  return {
    now: () => monotonic() + offset,
    follow() {
      const step = wall() - monotonic() - offset;
      if (Math.abs(step) >= STEP_MS) offset += step;
    },
    monotonic,
    sleep,
  };
}

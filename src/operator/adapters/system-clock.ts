/**
 * The clock of this process. It shows what the wall clock of the system showed when it was last followed, and the
 * monotonic time since. So a wall clock that somebody sets, or that jumps when its server answers, changes no
 * judgement of a run that is on: what is reckoned from two moments is right, and what a status shows may be away
 * from the time of day by the step, until the clock is followed again.
 */
import type { Clock } from '../../demo/clock.ts';
import { sleep } from '../../kube/wait.ts';

/** How far the two may be apart before it counts as a step, in milliseconds: the system tells whole ones. */
const STEP_MS = 20;

/** Time between two looks whether there was a step, in milliseconds. */
const LOOK_EVERY_MS = 10_000;

export interface SystemClock extends Clock {
  /** Shows what the wall clock shows again, where that was set. Call it only while nothing compares moments. */
  follow(): void;
}

/** The clock of this process, from now on. The fraction of a millisecond counts. */
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

/** Has `clock` follow the wall clock whenever nothing is under way, until `signal` aborts. */
export async function keepTime(
  clock: SystemClock,
  isQuiet: () => boolean,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    if (isQuiet()) clock.follow();
    await clock.sleep(LOOK_EVERY_MS, signal).catch(() => undefined);
  }
}

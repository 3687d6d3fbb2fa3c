/**
 * Whether this machine keeps time. A run samples its invariants every 100 ms and
 * calls a gap Inconclusive, rightly, so where the machine itself stands still for
 * half a second a test of whole runs fails for a reason that is not ours.
 */
import { inject, type TestContext } from 'vitest';
import { measurePace, type Pace, watchPace } from './measure-pace.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    pace: Pace;
  }
  export interface TaskMeta {
    /** Why a test that keeps time counts as not run; `.ci` lists it. */
    withoutTime?: string;
  }
}

/** A machine that merely is busy takes less from one process at a stretch. */
const STOOD_STILL_MS = 700;

/** For `describe.skipIf`: whole runs cannot be judged on this machine. */
export const withoutRealTime = !inject('pace').keepsTime;

/**
 * A test that keeps time: if it fails, it counts as skipped if the machine took the processor from this process for
 * long meanwhile, or no longer keeps time.
 * @param mostStillMs how long this process may stand still at a stretch; starting a hundred processes stops it, too
 */
export function keepingTime(
  test: (context: TestContext) => Promise<void>,
  mostStillMs = STOOD_STILL_MS,
): (context: TestContext) => Promise<void> {
  return async (context) => {
    const watched = watchPace();
    try {
      await test(context);
    } catch (error) {
      const stillMs = Math.round(watched.longestMs());
      const { finding, keepsTime } =
        stillMs > mostStillMs
          ? { finding: `this process got no processor for ${stillMs} ms`, keepsTime: false }
          : measurePace();
      if (keepsTime) throw error;
      const why = `the machine does not keep time (${finding}); it failed with: ${String(error)}`;
      context.task.meta.withoutTime = why;
      context.skip(why);
    } finally {
      watched.stop();
    }
  };
}

/**
 * Whether this machine keeps time. A run samples its invariants every 100 ms and
 * calls a gap Inconclusive, rightly, so where the machine itself stands still for
 * half a second a test of whole runs fails for a reason that is not ours.
 */
import { inject, type TestContext } from 'vitest';
import { measurePace, type Pace } from './measure-pace.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    pace: Pace;
  }
  export interface TaskMeta {
    /** Why a test that keeps time counts as not run; `.ci` lists it. */
    withoutTime?: string;
  }
}

/** For `describe.skipIf`: whole runs cannot be judged on this machine. */
export const withoutRealTime = !inject('pace').keepsTime;

/**
 * A test that keeps time: where it fails although the machine kept time before,
 * the machine is looked at again, and the test counts as skipped if it is the
 * machine that no longer does.
 */
export function keepingTime(
  test: (context: TestContext) => Promise<void>,
): (context: TestContext) => Promise<void> {
  return async (context) => {
    try {
      await test(context);
    } catch (error) {
      const { finding, keepsTime } = measurePace();
      if (keepsTime) throw error;
      const why = `the machine does not keep time (${finding}); it failed with: ${String(error)}`;
      context.task.meta.withoutTime = why;
      context.skip(why);
    }
  };
}

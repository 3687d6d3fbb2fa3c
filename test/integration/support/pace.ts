/**
 * Whether this machine keeps time. A run samples its invariants every 100 ms and
 * calls a gap Inconclusive, rightly, so where the machine itself stands still for
 * half a second a test of whole runs fails for a reason that is not ours.
 */
import { inject, type TestContext } from 'vitest';

declare module 'vitest' {
  export interface ProvidedContext {
    pace: Pace;
  }
}

/** What a look at the machine found. */
export interface Pace {
  readonly keepsTime: boolean;
  /** What was seen, for people. */
  readonly finding: string;
}

/** A machine that is merely busy stays below both. */
const LONGEST_GAP_MS = 100;
const LOST_SHARE = 0.2;
const GAP_MS = 5;

/**
 * Watches the clock without a pause for `ms`: the time that is missing was taken
 * by somebody else. CHAOSDEMO_REAL_TIME=1 or 0 decides without looking.
 */
export function measurePace(ms = 2000): Pace {
  const wish = process.env['CHAOSDEMO_REAL_TIME'];
  if (wish === '1' || wish === '0') {
    return { keepsTime: wish === '1', finding: `CHAOSDEMO_REAL_TIME is ${wish}` };
  }
  const start = performance.now();
  let last = start;
  let longest = 0;
  let lost = 0;
  while (last - start < ms) {
    const now = performance.now();
    const gap = now - last;
    if (gap > GAP_MS) lost += gap;
    longest = Math.max(longest, gap);
    last = now;
  }
  const share = lost / (last - start);
  const percent = Math.round(share * 100);
  return {
    keepsTime: longest < LONGEST_GAP_MS && share < LOST_SHARE,
    finding: `of ${ms} ms ${percent}% went missing, ${Math.round(longest)} ms at a stretch`,
  };
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
      if (!keepsTime)
        context.skip(`the machine does not keep time (${finding}); it failed with: ${String(error)}`);
      throw error;
    }
  };
}

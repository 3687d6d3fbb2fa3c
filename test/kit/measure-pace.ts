/** Measures whether this machine keeps time; knows nothing of vitest, since the global setup may not. */

/** The result of a measurement of the machine. */
export interface Pace {
  readonly keepsTime: boolean;
  /** What was seen, for people. */
  readonly finding: string;
}

/** A machine that is merely busy stays below both: it shares its time in small slices. */
const LONGEST_GAP_MS = 150;
const LOST_SHARE = 0.6;
const GAP_MS = 5;

const LOOK_EVERY_MS = 50;

/**
 * Watches from now on for how long this process stood still at a stretch, because others had the processor: its own
 * work does not count. Call the result for milliseconds so far.
 */
export function watchPace(): { readonly longestMs: () => number; readonly stop: () => void } {
  let at = performance.now();
  let used = process.cpuUsage();
  let longest = 0;
  const look = (): void => {
    const { system, user } = process.cpuUsage(used);
    const now = performance.now();
    longest = Math.max(longest, now - at - LOOK_EVERY_MS - (system + user) / 1000);
    [at, used] = [now, process.cpuUsage()];
  };
  const timer = setInterval(look, LOOK_EVERY_MS).unref();
  const longestMs = (): number => {
    look();
    return longest;
  };
  return { longestMs, stop: () => clearInterval(timer) };
}

/**
 * Watches the clock without a pause for `ms`: the time that is missing was taken
 * by other processes. CHAOSDEMO_REAL_TIME=1 or 0 decides without a measurement.
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

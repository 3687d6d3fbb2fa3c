/**
 * Measures a window that no header reports. A caller that used its limit up gets it back at the end of its window, uses
 * it up at once, and gets it back again: the time between is a whole window, whether windows begin with a request or by
 * the clock. The first return shows which: by the clock, the caller had only the rest of a window.
 */
import type { Clock } from './spread.ts';

export interface MeasuredWindow {
  readonly seconds: number;
  readonly start: 'FirstRequest' | 'Clock';
}

/** Longer windows are not measured. */
export const MOST_SECONDS = 60;
const MOST_WAIT_MS = 65_000;
/** Between two requests: this part of the time since the limit was used up, and at least so many milliseconds. */
const PART = 0.01;
const LEAST_MS = 50;
/** What an answer may take on its way; milliseconds. */
const SLACK_MS = 100;

/** The last request of a caller that was rejected was sent at `rejectedAt`; the next was answered at `at`. */
interface Return {
  readonly rejectedAt: number;
  readonly at: number;
}

/** From and to, in milliseconds; a window has a length between these. */
type Range = readonly [from: number, to: number];

/**
 * Undefined if the caller gets nothing back in time, or one request after the other, or if several windows or
 * both starts fit.
 * @param isAdmitted sends a request of a caller that used its limit of `requests` up
 * @param firstAt when its first answer arrived
 */
export async function measureWindow(
  isAdmitted: () => Promise<boolean>,
  { firstAt, requests }: { readonly firstAt: number; readonly requests: number },
  { now, sleep }: Clock,
): Promise<MeasuredWindow | undefined> {
  const untilReturned = async (): Promise<Return | undefined> => {
    const from = now();
    let rejectedAt = from;
    while (now() - from < MOST_WAIT_MS) {
      await sleep(Math.max(LEAST_MS, PART * (now() - from)));
      const sentAt = now();
      if (await isAdmitted()) return { rejectedAt, at: now() };
      rejectedAt = sentAt;
    }
    return undefined;
  };
  /** @returns whether the caller had more than one request, and is rejected now */
  const useUp = async (): Promise<boolean> => {
    if (requests > 1 && !(await isAdmitted())) return false;
    for (let i = 0; i < 2 * requests; i += 1) if (!(await isAdmitted())) return true;
    return false;
  };
  let begunAt = firstAt;
  const sentAt = now();
  if (await isAdmitted()) {
    // Its first window has ended already.
    begunAt = sentAt;
    if (!(await useUp())) return undefined;
  }
  const first = await untilReturned();
  if (!first || !(await useUp())) return undefined;
  const second = await untilReturned();
  if (!second) return undefined;
  const whole: Range = [second.rejectedAt - first.at, second.at - first.rejectedAt];
  const sinceFirst: Range = [first.rejectedAt - begunAt - SLACK_MS, first.at - begunAt + SLACK_MS];
  // Each of the two starts may fit with a length of its own.
  const isByClock = (seconds: number): boolean =>
    [first, second].every((one) => endsWithin(one, 1000 * seconds));
  const byClock = secondsIn(whole).filter(isByClock);
  const byRequest = secondsIn([Math.max(whole[0], sinceFirst[0]), Math.min(whole[1], sinceFirst[1])]);
  const [seconds, ...others] = new Set([...byClock, ...byRequest]);
  if (seconds === undefined || others.length > 0) return undefined;
  // A caller that began with a window by the clock saw a whole one, too.
  if (byClock.length > 0 && byRequest.length > 0) return undefined;
  return { seconds, start: byClock.length > 0 ? 'Clock' : 'FirstRequest' };
}

/** Whether a multiple of the window lies where the caller got its limit back. */
function endsWithin({ at, rejectedAt }: Return, windowMs: number): boolean {
  return Math.floor((at + SLACK_MS) / windowMs) > Math.floor((rejectedAt - SLACK_MS) / windowMs);
}

/** Windows in whole seconds that fit. */
function secondsIn([from, to]: Range): number[] {
  return Array.from({ length: MOST_SECONDS }, (_, i) => i + 1).filter(
    (seconds) => seconds * 1000 >= from && seconds * 1000 <= to,
  );
}

/**
 * Distinguishes fixed from sliding windows. A caller uses its limit in two parts, some seconds apart, and sends again a
 * window after the first part: a fixed window has admitted all by then, a log only as many as the first part had.
 */
/** What the caller got. */
export interface Spread {
  /** Requests of the limit. */
  readonly requests: number;
  /** Of these, in the first part. */
  readonly first: number;
  /** Admitted a window after the first part. */
  readonly admitted: number;
  /** How much of a window by the clock had passed then, from 0 to 1. */
  readonly phase: number;
}

/** Time in milliseconds. */
export interface Clock {
  now(): number;
  sleep(ms: number): Promise<void>;
}

export type Counting = 'FixedWindow' | 'SlidingWindow' | 'SlidingWindowCounter';

/** Windows in seconds, and requests of a limit, for which this takes about a minute and a few hundred requests. */
const [SHORTEST, LONGEST] = [4, 60];
const MOST_REQUESTS = 100;
/** Limiters may count in whole seconds, and so end a window later; seconds. */
const LATE = 1.2;
const BETWEEN_PARTS = 6;
/** The second part ends before the next window by the clock begins; seconds. */
const ROOM = 1;
/** From this limit on, a returned request more or less is no difference. */
const TOLERANT_FROM = 8;

/** Whether {@link spread} can show anything about such a limit. */
export function canSpread(requests: number, seconds: number): boolean {
  return requests > 1 && requests <= MOST_REQUESTS && seconds >= SHORTEST && seconds <= LONGEST;
}

/**
 * Takes a window and some seconds. Undefined if the answers were too slow to show anything, or not as before.
 * @param send whether the request of a new caller is admitted
 * @param seconds the window
 */
export async function spread(
  send: () => Promise<boolean>,
  requests: number,
  seconds: number,
  { now, sleep }: Clock,
): Promise<Spread | undefined> {
  const pause = async (wait: number): Promise<void> => await sleep(1000 * Math.max(0, wait));
  const late = Math.min(LATE, seconds / 10);
  const between = Math.min(BETWEEN_PARTS, seconds / 4);
  const left = seconds - ((now() / 1000) % seconds);
  if (left < between + ROOM) await pause(left + late);
  const phaseAt = (ms: number): number => ((ms / 1000) % seconds) / seconds;
  // As far as possible from what weighted counts of two windows would admit.
  const share = phaseAt(now() + 1000 * late) < 0.5 ? 0.75 : 0.25;
  const first = Math.min(requests - 1, Math.ceil(requests * share));
  for (let sent = 0; sent < first; sent += 1) if (!(await send())) return undefined;
  const sentAt = now();
  await pause(between);
  for (let sent = first; sent < requests; sent += 1) if (!(await send())) return undefined;
  await pause(seconds + late - (now() - sentAt) / 1000);
  const phase = phaseAt(now());
  let admitted = 0;
  while (admitted < requests && (await send())) admitted += 1;
  // Before the second part is returned as well.
  const isInTime = (now() - sentAt) / 1000 < seconds + 0.9 * between;
  return isInTime ? { requests, first, admitted, phase } : undefined;
}

/** The only way of counting that fits; undefined if several do, or none. Pure. */
export function countingOf({ admitted, first, phase, requests }: Spread): Counting | undefined {
  // The window may be longer.
  if (admitted === 0) return undefined;
  const expected: Readonly<Record<Counting, number>> = {
    FixedWindow: requests,
    SlidingWindow: first,
    SlidingWindowCounter: Math.floor(requests * phase),
  };
  const tolerance = requests < TOLERANT_FROM ? 0 : 1;
  const fitting = (Object.keys(expected) as Counting[]).filter(
    (counting) => Math.abs(admitted - expected[counting]) <= tolerance,
  );
  return fitting.length === 1 ? fitting[0] : undefined;
}

/** When a run and its faults are active, by a status that anyone with write access may have changed. Pure. */
import type { ChaosDemoSpec, ChaosDemoStatus, FaultStatus } from '../api/index.ts';
import { parseDuration } from '../api/index.ts';
import type { InvariantReading } from './observed.ts';
import type { Scenario } from './subject.ts';
import { ms } from './time.ts';

/**
 * How long after its planned end a fault counts as over, observed or not: a fault bounds itself and ends within about
 * 100 ms of that, so 5 s is plenty.
 */
export const FAULT_GRACE_MS = 5000;

/** Whether a run has begun in this status and not ended. */
export function isRunActive(status: ChaosDemoStatus | undefined): boolean {
  return status?.run !== undefined && status.run.completedAt === undefined;
}

/**
 * How far ahead of the clock a fault may be planned: twice the longest countdown. The clocks of successive operators may
 * differ by less.
 */
const MAX_AHEAD_MS = 120_000;

/** No fault is longer, of whatever subject; milliseconds. */
const LONGEST_FAULT_MS = 600_000;

/**
 * When a fault is over, observed or not: its end plus a grace, with the end limited to the longest possible fault.
 * Anyone with write access to the status could otherwise hold the object by a later end.
 */
export function faultDeadline(fault: FaultStatus): number {
  return Math.min(ms(fault.until), ms(fault.plannedAt) + LONGEST_FAULT_MS) + FAULT_GRACE_MS;
}

/** Whether a fault is active, or may be. */
export function isPossiblyActive(fault: FaultStatus, now: number): boolean {
  const planned = ms(fault.plannedAt) < now + MAX_AHEAD_MS;
  return fault.endedAt === undefined && planned && now < faultDeadline(fault);
}

/** The fault of a status that may be active, if any. */
export function activeFault(status: ChaosDemoStatus, now: number): FaultStatus | undefined {
  return status.scenarios?.map((entry) => entry.fault).find((fault) => fault && isPossiblyActive(fault, now));
}

/**
 * When the active run reaches its time limit, not counting the time it waited for a person: at once if its start is not
 * known or lies ahead, since a forged status would hold the object.
 */
export function runDeadline(
  { journal = {}, run }: Pick<ChaosDemoStatus, 'journal' | 'run'>,
  spec: Pick<ChaosDemoSpec, 'activeDeadline'>,
  now: number,
): number {
  const { awaitedMilliseconds = 0, awaitingSince } = journal;
  const startedAt = ms(run?.startedAt ?? '');
  // Also if it is no time.
  if (!(startedAt <= now + MAX_AHEAD_MS)) return now;
  const awaiting = awaitingSince ? now - ms(awaitingSince) : 0;
  return startedAt + parseDuration(spec.activeDeadline) + awaitedMilliseconds + awaiting;
}

/**
 * When to stop observing the invariant of a fault: after its end and the time to settle, or once `reading` is complete.
 */
export function watchEnd(
  fault: FaultStatus,
  scenario: Scenario,
  reading?: Pick<InvariantReading, 'complete' | 'watchedUntil'>,
): number {
  const planned = ms(fault.endedAt ?? fault.until) + scenario.settleMs;
  return reading?.complete ? Math.min(planned, reading.watchedUntil) : planned;
}

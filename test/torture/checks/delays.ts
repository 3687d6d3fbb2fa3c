/** What was done to a lane, or to all of them, around a moment: then figures may differ, and by how much. */

import type { StepTaken, TortureRecord } from '../record.ts';
import type { Step } from '../step.ts';

/** What outlasts its own end: a process that was started again, a queue that is worked off. */
const AFTERMATH_MS = 300;

/** Steps that were on at some time between two moments and reach this lane. */
export function stepsBetween(
  record: TortureRecord,
  from: number,
  to: number,
  lane: number,
  to_: readonly Step['action']['to'][],
): StepTaken[] {
  return record.of('step').filter(({ at, endedAt = Infinity, step }) => {
    const { action } = step;
    if (!to_.includes(action.to)) return false;
    const everywhere = action.to === 'operator' || action.to === 'api' || action.to === 'api-server';
    return (everywhere || step.lane === lane) && at < to && endedAt + AFTERMATH_MS > from;
  });
}

/** How far around a moment the pace of the machine counts. */
const AROUND_MS = 1000;
/** Other processes may stand still for longer than the observer does. */
const AS_OTHERS = 3;

/** How late things may be seen or done in between for want of a processor, by how long the observer stood still. */
export function slack(record: TortureRecord, from: number, to = from): number {
  const gaps = record
    .of('stood-still')
    .filter(({ at, ms }) => at + ms > from - AROUND_MS && at < to + AROUND_MS)
    .map(({ ms }) => ms);
  return AS_OTHERS * Math.max(0, ...gaps);
}

/** Whether an operator was killed, ended or frozen in between, or could not reach the Redis of the lane. */
export function stillAround(record: TortureRecord, from: number, to: number, lane: number): boolean {
  return stepsBetween(record, from, to, lane, ['operator', 'redis', 'redis-link']).length > 0;
}

/** What was done to a lane, or to all of them, around a moment: then figures may differ, and by how much. */
import type { Step } from '../plan.ts';
import type { StepTaken, TortureRecord } from '../record.ts';

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

/** Whether an operator was killed, ended or frozen in between, or could not reach the Redis of the lane. */
export function stillAround(record: TortureRecord, from: number, to: number, lane: number): boolean {
  return stepsBetween(record, from, to, lane, ['operator', 'redis', 'redis-link']).length > 0;
}

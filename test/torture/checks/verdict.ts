/** A run ends in time, whatever happens; and no process ends unexpectedly. */
import { parseDuration } from '../../../src/api/index.ts';
import { deadlineOf, OVERTIME_MS } from '../settings.ts';
import type { Seen, Wrong } from './seen.ts';

export function checkVerdict({ lane, name, plan, record }: Seen): Wrong[] {
  const wrong: Wrong[] = record.of('lost').map(({ at, how, name }) => ({
    check: 'processes',
    lane,
    at,
    message: `${name} ended unexpectedly: ${how}`,
  }));
  const versions = record.of('version', lane).filter(({ object }) => object.metadata.name === name);
  const last = versions.at(-1);
  const deletedAt = versions.find(
    ({ object, type }) => type === 'DELETED' || object.metadata.deletionTimestamp !== undefined,
  )?.at;
  const run = last?.object.status?.run;
  const startedAt = run ? Date.parse(run.startedAt) : versions[0]?.at;
  if (last === undefined || startedAt === undefined) {
    return [
      ...wrong,
      { check: 'verdict', lane, at: Date.now(), message: 'no version of the object was seen' },
    ];
  }
  const due = startedAt + parseDuration(deadlineOf(plan)) + OVERTIME_MS;
  const endedAt = run?.completedAt === undefined ? undefined : Date.parse(run.completedAt);
  if (endedAt !== undefined ? endedAt <= due : (deletedAt ?? Infinity) < due) return wrong;
  const message = `there was no verdict ${Math.round(due - startedAt)} ms after the run began`;
  return [...wrong, { check: 'verdict', lane, at: due, message }];
}

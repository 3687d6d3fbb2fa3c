/** Converts samples of counters to events of a history, and back. Pure. */
import { truncate } from '../../api/index.ts';
import type { CounterSample } from './counter-sample.ts';
import type { EventOf } from './events.ts';

/** Problems of one sample that are kept, and the characters of each: every pod may have one, ten times a second. */
const [MOST_PROBLEMS, MOST_PROBLEM] = [4, 256];

/** @param inFlight requests in flight when the sample ended, by pod */
export function countEvent(
  key: string,
  { admitted, elsewhere, problems, stored, ...rest }: CounterSample,
  inFlight: ReadonlyMap<string, number> = new Map(),
): EventOf<'count'> {
  return {
    kind: 'count',
    key,
    ...rest,
    admitted: Object.fromEntries(admitted),
    ...(stored !== undefined && { stored: Math.min(stored, Number.MAX_SAFE_INTEGER) }),
    elsewhere: [...elsewhere],
    problems: problems.slice(0, MOST_PROBLEMS).map((problem) => truncate(problem, MOST_PROBLEM)),
    inFlight: Object.fromEntries([...inFlight].filter(([, requests]) => requests > 0)),
  };
}

export function sampleOf({ admitted, stored, ...rest }: EventOf<'count'>): CounterSample {
  const { inFlight: _, key: __, kind: ___, ...sample } = rest;
  return { ...sample, admitted: new Map(Object.entries(admitted)), stored } as CounterSample;
}

export function sumOf(counts: Iterable<number>): number {
  let sum = 0;
  for (const count of counts) sum += count;
  return sum;
}

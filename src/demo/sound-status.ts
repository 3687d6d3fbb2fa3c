/**
 * How far a stored status is believed. Whoever may write one can write anything that its schema admits, so what
 * no run of this operator can have come to is not gone by: times that are none or far off, numbers beyond all
 * counting, a fault under another name than that of its run.
 */
import type { ChaosDemoStatus, FaultStatus } from '../api/index.ts';

/**
 * How far ahead of the clock a time may lie, and how far after its planned start the end of a fault: twice what
 * the schema allows for a countdown or a pause, and the most that a fault may take with all its trials. Clocks of
 * operators that follow each other may differ by less.
 */
export const MOST_AHEAD_MS = 120_000;

/** A rest lies so far ahead at most: that of a fault that may still come. */
const MOST_REST_MS = 2 * MOST_AHEAD_MS + 60_000;

/** No object has so many runs. */
export const MOST_RUNS = 1_000_000_000;

const FORGED = 'Somebody else than the operator wrote the status of this run';

/**
 * A copy of what is stored, without what would hold an object that no run is on for: numbers that cannot be
 * counted on from, a rest that does not end, an end without a verdict.
 */
export function soundStatus(stored: ChaosDemoStatus, now: number): ChaosDemoStatus {
  const status = withSafeIntegers(stored);
  const { journal, run } = status;
  if (run && run.number > MOST_RUNS) run.number = MOST_RUNS;
  if (run?.completedAt !== undefined) {
    run.verdict ??= { phase: 'Errored', reason: 'StatusUnusable', message: FORGED };
  }
  if (journal?.restUntil !== undefined && !(Date.parse(journal.restUntil) <= now + MOST_REST_MS)) {
    delete journal.restUntil;
  }
  return status;
}

/** What in the status of a run that is on cannot be of this operator; undefined: nothing that it would go by. */
export function flawOf(status: ChaosDemoStatus, now: number): string | undefined {
  const { chapters = [], diagnoses = [], health, journal = {}, run, scenarios = [] } = status;
  if (!run) return undefined;
  const past: [string, string | undefined][] = [
    ['run.startedAt', run.startedAt],
    ['health.lastTransitionTime', health?.lastTransitionTime],
    ['journal.awaitingSince', journal.awaitingSince],
    ['journal.ending.since', journal.ending?.since],
    ...diagnoses.map(({ askedAt, scenario }): [string, string | undefined] => [
      `diagnoses[${scenario}].askedAt`,
      askedAt,
    ]),
    ...chapters.flatMap(({ completedAt, doneAt, number, startedAt }): [string, string | undefined][] => [
      [`chapters[${number}].startedAt`, startedAt],
      [`chapters[${number}].doneAt`, doneAt],
      [`chapters[${number}].completedAt`, completedAt],
    ]),
  ];
  for (const [name, time] of past) {
    if (time !== undefined && !(Date.parse(time) <= now + MOST_AHEAD_MS)) {
      return `status.${name} (${time}) is no time that was`;
    }
  }
  const startedAt = Date.parse(run.startedAt);
  const begun = startedAt - MOST_AHEAD_MS;
  if (journal.awaitingSince !== undefined && Date.parse(journal.awaitingSince) < begun) {
    return 'status.journal.awaitingSince lies before the run';
  }
  if ((journal.awaitedMs ?? 0) > now - begun) return 'status.journal.awaitedMs is longer than the run';
  for (const { fault, name } of scenarios) {
    const flaw = fault && flawOfFault(fault, `${run.number}-${name}-`, { begun, now });
    if (flaw) return `status.scenarios[${name}].fault.${flaw}`;
  }
  return undefined;
}

function flawOfFault(
  { endedAt, id, plannedAt, startedAt, until }: FaultStatus,
  prefix: string,
  { begun, now }: { readonly begun: number; readonly now: number },
): string | undefined {
  if (!id.startsWith(prefix) || !/^[1-9]\d?$/.test(id.slice(prefix.length)))
    return `id (${id}) is not of this run`;
  const start = Date.parse(plannedAt);
  if (!(start >= begun && start <= now + MOST_AHEAD_MS))
    return `plannedAt (${plannedAt}) is no time of this run`;
  const end = Date.parse(until);
  if (!(end >= start && end <= start + MOST_AHEAD_MS)) return `until (${until}) is no end of that fault`;
  for (const [name, time] of [
    ['startedAt', startedAt],
    ['endedAt', endedAt],
  ] as const) {
    if (time === undefined) continue;
    const at = Date.parse(time);
    if (!(at >= begun && at <= end + MOST_AHEAD_MS)) return `${name} (${time}) is no time of that fault`;
  }
  return undefined;
}

/** A copy with every number that JavaScript cannot count with, as JSON may have it, replaced by the nearest it can. */
function withSafeIntegers<T>(value: T): T {
  if (typeof value === 'number') {
    return Math.min(Math.max(value, Number.MIN_SAFE_INTEGER), Number.MAX_SAFE_INTEGER) as T;
  }
  if (Array.isArray(value)) return value.map(withSafeIntegers) as T;
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [name, withSafeIntegers(member)]),
  ) as T;
}

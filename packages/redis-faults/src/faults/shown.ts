/**
 * Whether the observations in a history show a fault as it is reported, of whatever type: one rule for the run that
 * reports it and for a check of its history. Pure.
 */
import type { FaultEvent, ProbeEvent } from '../events.ts';
import type { RecordEvent } from './fault.ts';
import type { Mechanism } from './fault-type.ts';

/** Probes are 250 ms apart, and a process on a busy machine is late; milliseconds. */
const LATE_MS = 1000;
/** A write that has waited for so long is held back; milliseconds. */
const HELD_MS = 150;
/** The part of its time in which the fault has to be seen; percent. */
const LEAST_PERCENT = 80;

/** No probe of this fault is among the observations. */
export const NOT_RECORDED = 'NotRecorded';

export type Observed = Parameters<RecordEvent>[0] | FaultEvent<'Planned' | 'Reported'>;

/** A time in which the fault was active, or was not. */
interface Sight {
  readonly from: number;
  readonly at: number;
  readonly isActive: boolean;
}

/** What a write shows of a fault that holds writes back: of those that were sent or have waited in its time. */
function sightOfWrite({ at, state, tookMs = 0 }: ProbeEvent, startedAt: number, endedAt = at): Sight[] {
  const sight = { from: at - tookMs, at, isActive: tookMs >= HELD_MS };
  if (at < startedAt || sight.from > endedAt) return [];
  // Of an accepted one it is not known how long its answer waited to be read.
  if (state === 'Written') return [{ ...sight, at: Math.min(at, endedAt) }];
  return state === 'Waiting' && sight.isActive ? [sight] : [];
}

function sightsOf(event: Exclude<Observed, ProbeEvent>): Sight[] {
  if (event.step === 'Seen') return [{ ...event, from: event.at - event.sinceMs }];
  if (event.step !== 'CountsLost' || event.of === undefined) return [];
  return [{ from: event.at, at: event.at, isActive: event.keys > 0 && event.keys === event.of }];
}

/**
 * Why these observations, all until a report, do not show the fault that it calls Confirmed; undefined: they do.
 * @param until its planned end
 */
export function unshown(
  { holdsWrites, lasts }: Pick<Mechanism, 'holdsWrites' | 'lasts'>,
  events: readonly Observed[],
  { endedAt, startedAt }: { readonly [K in 'endedAt' | 'startedAt']?: number | undefined },
  until: number,
): string | undefined {
  if (startedAt === undefined) return undefined;
  const sights = events.flatMap((event) =>
    event.kind === 'fault' ? sightsOf(event) : holdsWrites ? sightOfWrite(event, startedAt, endedAt) : [],
  );
  if (sights.length === 0 && !holdsWrites) return NOT_RECORDED;
  const active = sights.filter(({ isActive }) => isActive);
  if (!active.some(({ from }) => from <= startedAt + 2 * LATE_MS)) return 'no probe met it at its start';
  const lastsUntil = lasts === undefined ? (endedAt ?? Infinity) : Infinity;
  const contradicts = ({ at, from, isActive }: Sight): boolean =>
    isActive
      ? from < startedAt - LATE_MS || at > lastsUntil + LATE_MS
      : from > startedAt + LATE_MS && at < (endedAt ?? startedAt) - LATE_MS;
  if (sights.some(contradicts)) return 'a probe contradicts its times';
  if (endedAt === undefined) return undefined;
  if (lasts !== undefined)
    return Math.abs(endedAt - until) <= 2 * LATE_MS ? undefined : 'it did not end as it was planned';
  const moments = Array.from(
    { length: 100 },
    (_, i) => startedAt + ((i + 0.5) / 100) * (endedAt - startedAt),
  );
  const seen = moments.filter((moment) => active.some(({ at, from }) => from <= moment && moment <= at));
  if (seen.length >= LEAST_PERCENT) return undefined;
  return `probes met it for ${seen.length} % of its time, and ${LEAST_PERCENT} % are needed: give the operator and Redis more CPU`;
}

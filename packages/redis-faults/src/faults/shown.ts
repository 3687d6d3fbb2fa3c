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
/** The part of its time in which the fault has to be seen. */
const SHARE = 0.8;

/** No probe of this fault is among the observations. */
export const NOT_RECORDED = 'NotRecorded';

export type Observed = Parameters<RecordEvent>[0] | FaultEvent<'Doubted' | 'Planned' | 'Reported'>;

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

/** How long it was seen to be active; milliseconds. */
function seenMs(active: readonly Sight[], startedAt: number, endedAt: number): number {
  let [sum, until] = [0, startedAt];
  for (const { at, from } of active.toSorted((a, b) => a.from - b.from)) {
    const to = Math.min(at, endedAt);
    sum += Math.max(0, to - Math.max(from, until));
    until = Math.max(until, to);
  }
  return sum;
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
  const sights = events.flatMap((event) => {
    if (event.kind === 'fault') return sightsOf(event);
    return holdsWrites ? sightOfWrite(event, startedAt, endedAt) : [];
  });
  if (sights.length === 0 && !holdsWrites) return NOT_RECORDED;
  const active = sights.filter(({ isActive }) => isActive);
  if (!active.some(({ from }) => from <= startedAt + 2 * LATE_MS)) return 'no probe met it at its start';
  if (active.some(({ from }) => from < startedAt - LATE_MS)) return 'a probe met it before its start';
  if (endedAt === undefined) return undefined;
  if (lasts !== undefined) {
    const isAsPlanned = Math.abs(endedAt - until) <= 2 * LATE_MS;
    return isAsPlanned ? undefined : 'it did not end as it was planned';
  }
  if (active.some(({ at }) => at > endedAt + LATE_MS)) return 'a probe met it after its end';
  const isInside = ({ at, from }: Sight): boolean => from > startedAt + LATE_MS && at < endedAt - LATE_MS;
  if (sights.some((sight) => !sight.isActive && isInside(sight)))
    return 'a probe did not meet it in its time';
  const share = seenMs(active, startedAt, endedAt) / (endedAt - startedAt);
  if (share >= SHARE) return undefined;
  return `probes met it for ${Math.floor(100 * share)} % of its time, and ${100 * SHARE} % are needed: give the operator and Redis more CPU`;
}

/** What is recorded of a fault so far: when it was active, as far as known, and what is missing. Pure. */
import type { FaultProof } from '../../api/index.ts';
import type { EventOf, HistoryEvent } from './events.ts';

/** When a fault was active; milliseconds since the epoch. */
export interface FaultTimes {
  readonly startedAt?: number;
  readonly endedAt?: number;
  /** The planned start; undefined before it is known. */
  readonly plannedAt?: number;
  /** The planned end; infinite before it is known. */
  readonly until: number;
  /** When it may have been active, if it was reported without a start. */
  readonly presumed?: { readonly startedAt: number; readonly endedAt: number } | undefined;
  /** When Redis had lost the last of the counts that it was to lose. */
  readonly countsLostAt?: number;
  /** From then on it is unknown whether the fault is active: the probe that showed it has ended. */
  readonly doubtfulFrom?: number;
}

/** What is known of a fault after another step of it. */
function timesAfter(times: FaultTimes, event: EventOf<'fault'>): FaultTimes {
  if (event.step === 'Planned') return { ...times, plannedAt: event.at, until: event.until };
  if (event.step === 'CountsLost') return { ...times, countsLostAt: event.at };
  if (event.step === 'Doubted') {
    return { ...times, doubtfulFrom: Math.min(event.at, times.doubtfulFrom ?? event.at) };
  }
  if (event.step !== 'Reported') return times;
  const { plannedAt = 0, until } = times;
  const { endedAt = times.endedAt, startedAt = times.startedAt } = event;
  return {
    ...times,
    ...(endedAt !== undefined && { endedAt }),
    ...(startedAt === undefined
      ? { presumed: { startedAt: plannedAt, endedAt: endedAt ?? until } }
      : { startedAt, presumed: undefined }),
  };
}

export interface Recorded {
  readonly times: FaultTimes;
  readonly proof?: FaultProof | undefined;
  /** Events that are missing, because the history was full. */
  readonly dropped: number;
  /** Requests that were not sent, or whose answers were not awaited, for lack of connections or memory. */
  readonly leftOut: number;
}

export const NOTHING_RECORDED: Recorded = {
  times: { until: Number.POSITIVE_INFINITY },
  dropped: 0,
  leftOut: 0,
};

/** The record with one more event. */
export function recorded<R extends Recorded>(record: R, event: HistoryEvent): R {
  if (event.kind === 'dropped') return { ...record, dropped: record.dropped + event.events };
  if (event.kind === 'left-out') return { ...record, leftOut: record.leftOut + event.requests };
  if (event.kind !== 'fault') return record;
  const proof = event.step === 'Reported' ? { proof: event.proof } : {};
  return { ...record, times: timesAfter(record.times, event), ...proof };
}

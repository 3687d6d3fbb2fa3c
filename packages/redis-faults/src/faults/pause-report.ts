/** When and how a pause ended. */
import type { StoreConnections } from '../client/store-connections.ts';
import { waitForPauseEnd } from '../client/write-probe.ts';
import { EARLY_MS } from '../events.ts';
import type { FaultReport, RecordEvent } from './fault.ts';
import type { RedisPause } from './pause.ts';

/** How long after its planned end the probe waits for the end of a pause; milliseconds. */
const END_WITHIN_MS = 60_000;

/** Why a pause that this run ended was over early. */
export const RELEASED = 'this run released it';

/** An active pause, as it was reported. */
export interface ActivePause extends Pick<RedisPause, 'probes' | 'released'> {
  readonly report: FaultReport;
  readonly record: RecordEvent;
  /** Its planned end; milliseconds since the epoch. */
  readonly until: number;
  /** Its planned length, in words. */
  readonly planned: string;
}

/** Waits for the end of a pause and completes its report. @throws only the reason of `signal` */
export async function awaitPauseEnd(
  { report, probes, record, until, planned }: ActivePause,
  context: {
    readonly redis: StoreConnections;
    readonly now: () => number;
    /** The run_id of Redis before the pause. */
    readonly runIdBefore: string | undefined;
    /** Why it ended early, if that is known. */
    readonly whyEarly: () => string | undefined;
  },
  signal: AbortSignal,
): Promise<FaultReport> {
  const { now, redis, runIdBefore, whyEarly } = context;
  const withinMs = until - now() + END_WITHIN_MS;
  const seen = await Promise.all(
    probes.map(({ server, write }) => waitForPauseEnd(server, write, withinMs, now, signal)),
  );
  const ends = seen.filter((end) => end !== undefined);
  if (ends.length < seen.length) {
    const message = `${report.message}. No write was accepted until ${END_WITHIN_MS} ms after its planned end`;
    return { ...report, message };
  }
  const moments = ends.map(({ at }) => at);
  const [firstAt, lastAt] = [Math.min(...moments), Math.max(...moments)];
  record({ kind: 'probe', state: 'Written', at: lastAt, tookMs: lastAt - probes[0].write.sentAt });
  const evidence = [...report.evidence];
  const byLaterWrite = ends.some((end) => end.byLaterWrite);
  if (byLaterWrite) {
    const restarted = await hasRestarted(redis, runIdBefore);
    if (restarted) record({ kind: 'probe', state: 'Restarted', at: lastAt });
    evidence.push(
      `The connection of the held write was lost${restarted ? ': Redis was restarted' : ''}; a later write was accepted`,
    );
  }
  // From the first end on, some writes of a Cluster were accepted.
  const early = Math.round(until - firstAt);
  if (early > EARLY_MS) {
    const why = whyEarly() ?? 'another client sent CLIENT UNPAUSE, or Redis was restarted';
    evidence.push(`The pause ended ${early} ms early: ${why}`);
    const message = `${report.message}. Writes were accepted again ${early} ms before its planned end: ${why}`;
    return { ...report, endedAt: firstAt, message, evidence };
  }
  const left = Math.round(until - lastAt);
  evidence.push(
    `Writes were accepted again ${byLaterWrite ? 'at the latest ' : ''}${Math.abs(left)} ms ${left > 0 ? 'before' : 'after'} the planned end of ${planned}`,
  );
  return { ...report, endedAt: lastAt, evidence };
}

async function hasRestarted(redis: StoreConnections, runIdBefore: string | undefined): Promise<boolean> {
  try {
    const { runId } = await redis.facts();
    return runIdBefore !== undefined && runId !== runIdBefore;
  } catch {
    return false;
  }
}

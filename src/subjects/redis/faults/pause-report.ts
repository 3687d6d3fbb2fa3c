/** The report of a pause: its proof, and when and how it ended. */
import type { FaultReport } from '../../../demo/observed.ts';
import type { RedisConnections } from '../client/redis-client.ts';
import { parseInfo } from '../client/redis-info.ts';
import { waitForPauseEnd } from '../client/write-probe.ts';
import { EARLY_MS } from '../events.ts';
import type { RecordEvent } from './fault.ts';
import type { RedisPause } from './pause.ts';

/** How long after its planned end the probe waits for the end of a pause; milliseconds. */
const END_WITHIN_MS = 60_000;

/** Why a pause that this run ended was over early. */
export const RELEASED = 'this demo released it';

/** An active pause, as it was reported. */
export interface ActivePause {
  readonly report: FaultReport;
  readonly pause: RedisPause;
  /** Its planned end; milliseconds since the epoch. */
  readonly until: number;
  /** Its planned length, in words. */
  readonly planned: string;
}

/** The findings of the probe; `now` in milliseconds since the epoch. */
export function reportOfPause(pause: RedisPause, record: RecordEvent, now: number): FaultReport {
  const { startedAt, proof, message, finding, refused, write } = pause;
  const report: FaultReport = {
    ...(startedAt !== undefined && { startedAt }),
    proof,
    message,
    evidence: [message],
  };
  // A refused command paused nothing, so there is no end to wait for.
  if (refused) return { ...report, endedAt: now };
  if (finding?.kind === 'held') {
    record({ kind: 'probe', state: 'Read', at: now, tookMs: finding.slowestReadMs });
    record({ kind: 'probe', state: 'Waiting', at: write.sentAt + finding.heldMs, tookMs: finding.heldMs });
  } else if (finding?.kind === 'taken') {
    record({ kind: 'probe', state: 'Written', at: finding.at, tookMs: finding.afterMs });
    return { ...report, endedAt: finding.at };
  } else if (finding?.kind === 'unclear') {
    const state = ({ silent: 'Unreachable', lost: 'Lost', refused: 'ReadRefused' } as const)[finding.cause];
    record({ kind: 'probe', state, at: now });
  }
  return report;
}

/** Waits for the end of a pause and completes its report. @throws only the reason of `signal` */
export async function awaitPauseEnd(
  { report, pause, until, planned }: ActivePause,
  context: {
    readonly redis: RedisConnections;
    readonly now: () => number;
    readonly record: RecordEvent;
    /** The run_id of Redis before the pause. */
    readonly runIdBefore: string | undefined;
    /** Why it ended early, if that is known. */
    readonly whyEarly: () => string | undefined;
  },
  signal: AbortSignal,
): Promise<FaultReport> {
  const { now, redis, runIdBefore, record, whyEarly } = context;
  const end = await waitForPauseEnd(redis, pause.write, until - now() + END_WITHIN_MS, now, signal);
  if (!end) {
    const message = `${report.message}. No write was accepted until ${END_WITHIN_MS} ms after its planned end`;
    return { ...report, message };
  }
  record({ kind: 'probe', state: 'Written', at: end.at, tookMs: Math.max(0, end.at - pause.write.sentAt) });
  const evidence = [...report.evidence];
  if (end.byLaterWrite) {
    const restarted = await hasRestarted(redis, runIdBefore);
    if (restarted) record({ kind: 'probe', state: 'Restarted', at: end.at });
    evidence.push(
      `The connection of the held write was lost${restarted ? ': Redis was restarted' : ''}; a later write was accepted`,
    );
  }
  const early = Math.round(until - end.at);
  if (early > EARLY_MS) {
    const why = whyEarly() ?? 'another client sent CLIENT UNPAUSE, or Redis was restarted';
    evidence.push(`The pause ended ${early} ms early: ${why}`);
    const message = `${report.message}. Writes were accepted again ${early} ms before its planned end: ${why}`;
    return { ...report, endedAt: end.at, message, evidence };
  }
  evidence.push(
    `Writes were accepted again ${end.byLaterWrite ? 'at the latest ' : ''}${Math.abs(early)} ms ${early > 0 ? 'before' : 'after'} the planned end of ${planned}`,
  );
  return { ...report, endedAt: end.at, evidence };
}

async function hasRestarted(redis: RedisConnections, runIdBefore: string | undefined): Promise<boolean> {
  try {
    const { runId } = parseInfo(await redis.info('server'));
    return runIdBefore !== undefined && runId !== runIdBefore;
  } catch {
    return false;
  }
}

/** Turns what the chaos functions did into reports: what was injected, whether it was felt, when it ended. */
import type { FaultReport } from '../../demo/observed.ts';
import { BurstNotSentError, type BurstResult, injectBurstTraffic } from './burst.ts';
import { EARLY_MS } from './drift-invariant.ts';
import type { FaultSession } from './fault-session.ts';
import { injectRedisPause, type RedisPause } from './pause.ts';
import { sendWrite, waitForPauseEnd } from './pause-probe.ts';
import type { RedisConnections } from './redis-client.ts';
import { parseInfo } from './redis-info.ts';
import type { NodeTarget } from './target.ts';

/** How long beyond its planned end the end of a pause is waited for. */
const END_WITHIN_MS = 60_000;

export interface PauseJob {
  readonly redis: RedisConnections;
  readonly session: FaultSession;
  readonly plannedAt: number;
  readonly until: number;
  readonly usualWriteMs: number;
  readonly now: () => number;
  /** Called right before the command is sent; a PauseNotSentError that it throws is thrown on, and nothing is sent. */
  readonly onSend: () => void;
}

/** Injects the pause and proves it. @throws PauseNotSentError, or the reason of `signal` */
export async function reportPause(
  job: PauseJob,
  signal: AbortSignal,
): Promise<{ report: FaultReport; pause: RedisPause }> {
  const { session, now } = job;
  const pause = await injectRedisPause(job.redis, job, signal);
  const { startedAt, proof, message, finding, write } = pause;
  const report: FaultReport = {
    ...(startedAt !== undefined && { startedAt }),
    proof,
    message,
    evidence: [message],
  };
  if (finding?.kind === 'held') {
    session.timeline.readAnswered(now(), finding.slowestReadMs);
    session.timeline.writeOutstanding(write.sentAt + finding.heldMs, finding.heldMs);
  } else if (finding?.kind === 'taken') {
    session.timeline.writeAccepted(finding.at, finding.afterMs);
    report.endedAt = finding.at;
  } else if (finding?.kind === 'unclear') {
    session.timeline.storeUnreachable(now(), now() - write.sentAt, finding.reason);
  }
  // A refused command paused nothing, so there is no end to wait for.
  if (pause.refused) report.endedAt = now();
  return { report, pause };
}

/**
 * Waits for the end of a pause and completes its report; `releasedByUs` tells
 * whether this demo itself cut it short. @throws only the reason of `signal`
 */
export async function completePauseReport(
  { redis, session, until, now }: PauseJob,
  { report, pause }: { report: FaultReport; pause: RedisPause },
  runIdBefore: string | undefined,
  releasedByUs: () => boolean,
  signal: AbortSignal,
): Promise<void> {
  const end = await waitForPauseEnd(redis, pause.write, until - now() + END_WITHIN_MS, now, signal);
  if (!end) {
    report.message += `. No write was taken until ${END_WITHIN_MS} ms after its planned end`;
    return;
  }
  report.endedAt = end.at;
  session.timeline.writeAccepted(end.at, end.at - pause.write.sentAt, ' in all');
  const early = Math.round(until - end.at);
  if (end.byLaterWrite) {
    const restarted = await hasRestarted(redis, runIdBefore);
    report.evidence.push(
      `The connection of the held write was lost${restarted ? ': Redis was restarted' : ''}; a later write was taken`,
    );
  }
  if (early > EARLY_MS) {
    const who = releasedByUs()
      ? 'this demo released it'
      : 'somebody sent CLIENT UNPAUSE, or Redis was restarted';
    report.message += `. Writes were taken again ${early} ms before its planned end: ${who}`;
    report.evidence.push(`The pause ended ${early} ms early: ${who}`);
  } else {
    const held = Math.round(end.at - (report.startedAt ?? pause.write.sentAt));
    report.evidence.push(
      `Writes were taken again after ${held} ms, ${Math.abs(early)} ms ${early >= 0 ? 'before' : 'after'} the planned end`,
    );
  }
}

async function hasRestarted(redis: RedisConnections, runIdBefore: string | undefined): Promise<boolean> {
  try {
    const { runId } = parseInfo(await redis.info('server'));
    return runIdBefore !== undefined && runId !== runIdBefore;
  } catch {
    return false;
  }
}

export interface BurstJob {
  readonly redis: RedisConnections;
  readonly session: FaultSession;
  readonly nodes: readonly NodeTarget[];
  readonly requests: number;
  readonly timeoutMs: number;
  readonly plannedAt: number;
  readonly now: () => number;
  /** What stands against the burst at the moment of sending. */
  readonly obstacle: () => string | undefined;
}

/** Sends the burst and reports it. @throws BurstNotSentError, or the reason of `signal` */
export async function reportBurst(
  { redis, session, nodes, requests, timeoutMs, plannedAt, now, obstacle }: BurstJob,
  signal: AbortSignal,
): Promise<{ report: FaultReport; burst: BurstResult }> {
  const { key, windowId } = session.window;
  // A write meanwhile shows whether it was Redis that stood in the way.
  const writer = await redis.openProbeWriter().catch(() => undefined);
  let probe: Promise<void> | undefined;
  const onStart = (): void => {
    const reason = obstacle();
    if (reason !== undefined) throw new BurstNotSentError(reason);
    if (!writer) return;
    const { sentAt, taken } = sendWrite(writer, now);
    probe = taken.then(
      (at) => session.timeline.writeAccepted(at, at - sentAt),
      () => undefined,
    );
  };
  try {
    const burst = await injectBurstTraffic(
      { nodes, key, windowId, requests, timeoutMs, at: plannedAt, now, onStart },
      signal,
    );
    // Answered long ago, or never: the burst waits for no write.
    await Promise.race([probe, new Promise((resolve) => setImmediate(resolve))]);
    return { report: reportOf(burst, nodes.length), burst };
  } finally {
    writer?.close();
  }
}

/** Confirmed only where every request was answered for the key's window. Pure. */
export function reportOf(burst: BurstResult, nodes: number): FaultReport {
  const { requests, allowed, denied, errors, unanswered, otherWindow, firstError } = burst;
  const sent = `${requests} requests over ${nodes} nodes, written within ${burst.sendSpanMs.toFixed(1)} ms`;
  const tally = `${allowed} allowed, ${denied} denied, ${errors} errors, ${unanswered} unanswered`;
  const common = { startedAt: burst.startedAt, endedAt: burst.endedAt, evidence: [`Burst: ${sent}`] };
  if (errors + unanswered === 0) return { ...common, proof: 'Confirmed', message: `${sent}: ${tally}` };
  if (otherWindow > 0) {
    return {
      ...common,
      proof: 'Mismatch',
      message: `${sent}: ${tally}. ${otherWindow} were answered for another window, so they say nothing of this one: see whether the limit's window ended or the key was defined anew by somebody else`,
    };
  }
  return {
    ...common,
    proof: 'Inconclusive',
    message: `${sent}: ${tally}. First: ${firstError ?? 'unknown'}`,
  };
}

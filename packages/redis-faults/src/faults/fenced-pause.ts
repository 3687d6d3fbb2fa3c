/** A pause of Redis writes for the whole fault, with its proof and its end. */
import { formatDuration } from '@chaosdemo/settings/duration';
import { waitForPauseEnd } from '../client/write-probe.ts';
import { EARLY_MS } from '../events.ts';
import { messageOf } from '../text.ts';
import type { PodConnections } from './disconnect/pod-connections.ts';
import { type FaultReport, type FaultTools, NotInjectedError, type RecordEvent } from './fault.ts';
import { FencedFault, type Injection } from './fenced-fault.ts';
import { closeProbes, injectRedisPause, type RedisPause } from './pause.ts';
import { withProof } from './proof.ts';

/** How long after its planned end the probe waits for the end of a pause; milliseconds. */
const END_WITHIN_MS = 60_000;

/** An active pause, as it was reported. */
export interface ActivePause extends Pick<RedisPause, 'probes' | 'released'> {
  readonly report: FaultReport;
  readonly record: RecordEvent;
  /** Its planned end; milliseconds since the epoch. */
  readonly until: number;
  /** Its planned length, in words. */
  readonly planned: string;
}

export class FencedPause extends FencedFault<ActivePause> {
  readonly #during: PodConnections | undefined;

  constructor(tools: FaultTools, during?: PodConnections) {
    super(tools);
    this.#during = during;
  }

  protected async check(): Promise<void> {
    await this.#during?.prepare();
  }

  protected async begin({ permit, plannedAt, record, signal, until }: Injection): Promise<FaultReport> {
    const { now, ownPause, redis, usualWriteMs } = this.tools;
    let isSent = false;
    const options = {
      plannedAt,
      until,
      usualWriteMs: usualWriteMs(),
      now,
      onSend: (): void => {
        this.requirePermit(permit);
        isSent = true;
        ownPause.begun();
      },
      onPaused: (): void => this.#during?.begin(until),
      record,
    };
    let pause: RedisPause;
    try {
      pause = await injectRedisPause(redis, options, signal);
    } catch (error) {
      this.#during?.stop();
      if (isSent && error instanceof NotInjectedError) ownPause.ended();
      if (!isSent || error instanceof NotInjectedError) throw error;
      const message = `CLIENT PAUSE was sent, and its effect was not observed: ${messageOf(error)}`;
      return { proof: 'Inconclusive', message, evidence: [] };
    }
    const { probes, released, ...found } = pause;
    // Once a held write is answered, or its connection is lost, nothing shows that this server is still paused.
    void Promise.race(probes.map(({ write }) => write.taken))
      .catch(() => ({ at: now() }))
      .then(({ at }) => record({ kind: 'fault', step: 'Doubted', at }))
      .finally(() => this.#during?.stop());
    const report = await this.#proven(found, record);
    if (report.endedAt === undefined) {
      const planned = formatDuration(until - plannedAt);
      this.active = { report, probes, released, record, until, planned };
    } else {
      closeProbes(probes);
      ownPause.ended();
    }
    return report;
  }

  protected async end(active: ActivePause, signal: AbortSignal): Promise<FaultReport> {
    const { probes, record } = active;
    const ended = await this.#seeEnd(active, signal).finally(() => this.#during?.stop());
    if (ended.endedAt !== undefined) {
      this.active = undefined;
      closeProbes(probes);
      this.tools.ownPause.ended();
    }
    return this.#during ? withProof(ended, this.#during.result(record)) : ended;
  }

  async #seeEnd(
    { report, probes, record, released, until, planned }: ActivePause,
    signal: AbortSignal,
  ): Promise<FaultReport> {
    const { now, ownPause } = this.tools;
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
      const restarted = await this.hasRestarted().catch(() => false);
      if (restarted) record({ kind: 'probe', state: 'Restarted', at: lastAt });
      evidence.push(
        `The connection of the held write was lost${restarted ? ': Redis was restarted' : ''}; a later write was accepted`,
      );
    }
    // From the first end on, some writes of a Cluster were accepted.
    const early = Math.round(until - firstAt);
    if (early > EARLY_MS) {
      const why =
        ownPause.released || released
          ? 'this run released it'
          : 'another client sent CLIENT UNPAUSE, or Redis was restarted';
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

  /** The report of a proven pause, including the proof of the further actions. */
  async #proven(report: FaultReport, record: RecordEvent): Promise<FaultReport> {
    if (!this.#during) return report;
    const proven =
      report.proof === 'Confirmed' ? withProof(report, await this.#during.prove(record)) : report;
    // An unproven part of a fault shows nothing.
    if (proven.proof !== 'Confirmed') this.#during.stop();
    return proven;
  }
}

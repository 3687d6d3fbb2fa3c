/** A pause of Redis writes for the whole fault, with its proof and its end. */
import { formatDuration } from '@chaosdemo/settings/duration';
import { messageOf } from '../text.ts';
import type { PodConnections } from './disconnect/pod-connections.ts';
import { type FaultReport, type FaultTools, NotInjectedError, type RecordEvent } from './fault.ts';
import { FencedFault, type Injection } from './fenced-fault.ts';
import { closeProbes, injectRedisPause, type RedisPause } from './pause.ts';
import { type ActivePause, awaitPauseEnd, RELEASED } from './pause-report.ts';
import { withProof } from './proof.ts';

export class FencedPause extends FencedFault<ActivePause> {
  readonly #during: PodConnections | undefined;

  constructor(tools: FaultTools, during?: PodConnections) {
    super(tools);
    this.#during = during;
  }

  protected async check(): Promise<void> {
    await this.#during?.prepare();
  }

  protected async begin(injection: Injection): Promise<FaultReport> {
    const { now, ownPause } = this.tools;
    const { plannedAt, record, until } = injection;
    const pause = await this.#inject(injection).catch((error: unknown) => {
      this.#during?.stop();
      throw error;
    });
    if (!('probes' in pause)) {
      this.#during?.stop();
      return pause;
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

  /**
   * Pauses writes if `permit` allows it right before the command.
   * @returns a report if it is unknown whether it was sent
   * @throws only before anything was sent
   */
  async #inject({ permit, plannedAt, record, signal, until }: Injection): Promise<RedisPause | FaultReport> {
    const { now, ownPause, redis, usualWriteMs } = this.tools;
    let sent = false;
    const options = {
      plannedAt,
      until,
      usualWriteMs: usualWriteMs(),
      now,
      onSend: (): void => {
        this.requirePermit(permit);
        sent = true;
        ownPause.begun();
      },
      onPaused: (): void => this.#during?.begin(until),
      record,
    };
    try {
      return await injectRedisPause(redis, options, signal);
    } catch (error) {
      if (!sent) throw error;
      if (error instanceof NotInjectedError) {
        ownPause.ended();
        throw error;
      }
      const message = `CLIENT PAUSE was sent, and its effect was not observed: ${messageOf(error)}`;
      return { proof: 'Inconclusive', message, evidence: [] };
    }
  }

  protected async end(active: ActivePause, signal: AbortSignal): Promise<FaultReport> {
    const { now, ownPause, redis } = this.tools;
    const { probes, record, released } = active;
    const context = {
      redis,
      now,
      runIdBefore: this.runIdBefore,
      whyEarly: () => (ownPause.released || released ? RELEASED : undefined),
    };
    const ended = await awaitPauseEnd(active, context, signal).finally(() => this.#during?.stop());
    if (ended.endedAt !== undefined) {
      this.active = undefined;
      closeProbes(probes);
      ownPause.ended();
    }
    return this.#during ? withProof(ended, this.#during.result(record)) : ended;
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

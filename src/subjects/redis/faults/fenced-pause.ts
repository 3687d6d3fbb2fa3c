/** A pause of Redis writes for the whole fault, with its proof and its end. */
import { formatDuration } from '../../../api/index.ts';
import type { FaultReport } from '../../../engine/observed.ts';
import type { Permit } from '../../../engine/subject.ts';
import type { FaultListener, FaultMoment, RecordEvent } from './fault.ts';
import { FencedFault, type Parts, type Proof, withProof } from './fenced-fault.ts';
import { closeProbes } from './pause.ts';
import { type ActivePause, awaitPauseEnd, RELEASED, reportOfPause } from './pause-report.ts';

/** Further actions of a fault while its pause is active. */
export interface DuringPause {
  /** Checks before the fault that it can be done. @throws an error whose message states what to do */
  prepare(): Promise<void>;
  /** Begins, once Redis has confirmed a pause; ends automatically at `until`, in milliseconds since the epoch. */
  begin(until: number): void;
  /** Ends it: no more commands are sent. */
  stop(): void;
  /** Proves it by an independent probe. Never rejects. */
  prove(record: RecordEvent): Promise<Proof>;
  /** The result of all its actions. */
  result(record: RecordEvent): Proof;
}

export class FencedPause extends FencedFault {
  readonly #during: DuringPause | undefined;
  #pause: ActivePause | undefined;

  constructor(parts: Parts, during?: DuringPause) {
    super(parts);
    this.#during = during;
  }

  get isActive(): boolean {
    return this.#pause !== undefined;
  }

  protected async check(): Promise<void> {
    await this.#during?.prepare();
  }

  protected async begin(
    moment: FaultMoment,
    listener: FaultListener,
    permit: Permit,
    signal: AbortSignal,
  ): Promise<FaultReport> {
    const { now, ownPause } = this.parts;
    const { plannedAt, until } = moment;
    const onPaused = (): void => this.#during?.begin(until);
    const outcome = await this.pause(moment, { onPaused }, permit, signal).catch((error: unknown) => {
      this.#during?.stop();
      throw error;
    });
    if ('report' in outcome) {
      this.#during?.stop();
      return outcome.report;
    }
    const { pause } = outcome;
    // Once a held write is answered, or its connection is lost, nothing shows that this server is still paused.
    Promise.race(pause.probes.map(({ write }) => write.taken))
      .then(
        ({ at }) => listener.doubted(at),
        () => listener.doubted(now()),
      )
      .finally(() => this.#during?.stop());
    const report = await this.#proven(reportOfPause(pause, listener.record, now()), listener.record);
    if (report.endedAt === undefined) {
      this.#pause = { report, pause, until, planned: formatDuration(until - plannedAt) };
    } else {
      closeProbes(pause.probes);
      ownPause.ended();
    }
    return report;
  }

  async awaitEnd(record: RecordEvent, signal: AbortSignal): Promise<FaultReport> {
    const { now, ownPause, redis } = this.parts;
    if (!this.#pause) throw new Error('no pause is active');
    const { pause } = this.#pause;
    const context = {
      redis,
      now,
      record,
      runIdBefore: this.runIdBefore,
      whyEarly: () => (ownPause.released || pause.released ? RELEASED : undefined),
    };
    const ended = await awaitPauseEnd(this.#pause, context, signal).finally(() => this.#during?.stop());
    const report = this.#during ? withProof(ended, this.#during.result(record)) : ended;
    if (report.endedAt !== undefined) {
      this.#pause = undefined;
      closeProbes(pause.probes);
      ownPause.ended();
    }
    return report;
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

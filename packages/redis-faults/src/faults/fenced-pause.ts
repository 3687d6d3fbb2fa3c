/** A pause of Redis writes for the whole fault, with its proof and its end. */
import { formatDuration } from '@chaosdemo/settings/duration';
import { each, type PerServer } from '../client/per-server.ts';
import { sendWrite } from '../client/write-probe.ts';
import { messageOf } from '../text.ts';
import { type FaultReport, type FaultTools, NotInjectedError, type RecordEvent } from './fault.ts';
import { FencedFault, type Injection } from './fenced-fault.ts';
import { closeProbes, injectRedisPause, type PauseProbe, type RedisPause } from './pause.ts';
import { type ActivePause, awaitPauseEnd, RELEASED, reportOfPause } from './pause-report.ts';
import { type Proof, withProof } from './proof.ts';

/** Further actions of a fault while its pause is active. */
export interface DuringPause {
  /** If further pauses follow the first one: how long that is, and the wait for the last one. Else it is the whole fault. */
  readonly pulses?: { readonly firstMs: number; settle(signal: AbortSignal): Promise<void> };
  /** Why it has ended early, if it can end the pause. */
  readonly whyEarly?: string | undefined;
  /** Checks before the fault that it can be done. @throws an error whose message states what to do */
  prepare(): Promise<void>;
  /** Begins, once Redis has confirmed a pause; ends automatically at `until`, in milliseconds since the epoch. */
  begin(until: number): void;
  /** Ends it: no more commands are sent. */
  stop(): void;
  /** Proves it by an independent probe; undefined: only its result does. Never rejects. */
  prove(record: RecordEvent, probes: PerServer<PauseProbe>): Promise<Proof | undefined>;
  /** The result of all its actions. @param startedAt of the first pause; milliseconds since the epoch */
  result(record: RecordEvent, startedAt: number): Proof;
}

export class FencedPause extends FencedFault<ActivePause> {
  readonly #during: DuringPause | undefined;

  constructor(tools: FaultTools, during?: DuringPause) {
    super(tools);
    this.#during = during;
  }

  protected async check(): Promise<void> {
    await this.#during?.prepare();
  }

  protected async begin(injection: Injection): Promise<FaultReport> {
    const { now, ownPause } = this.tools;
    const { listener, plannedAt, until } = injection;
    const pause = await this.#inject(injection).catch((error: unknown) => {
      this.#during?.stop();
      throw error;
    });
    if ('evidence' in pause) {
      this.#during?.stop();
      return pause;
    }
    // Once a held write is answered, or its connection is lost, nothing shows that this server is still paused.
    if (!this.#during?.pulses) {
      Promise.race(pause.probes.map(({ write }) => write.taken))
        .then(
          ({ at }) => listener.doubted(at),
          () => listener.doubted(now()),
        )
        .finally(() => this.#during?.stop());
    }
    const report = await this.#proven(reportOfPause(pause, listener.record, now()), pause, listener.record);
    if (report.endedAt === undefined) {
      const planned = formatDuration(until - plannedAt);
      this.active = { report, pause, record: listener.record, until, planned };
    } else {
      closeProbes(pause.probes);
      ownPause.ended();
    }
    return report;
  }

  /**
   * Pauses writes if `permit` allows it right before the command.
   * @returns a report if it is unknown whether it was sent
   * @throws only before anything was sent
   */
  async #inject({ permit, plannedAt, signal, until }: Injection): Promise<RedisPause | FaultReport> {
    const { now, ownPause, redis, usualWriteMs } = this.tools;
    let sent = false;
    const options = {
      plannedAt,
      until,
      ...(this.#during?.pulses && { mostMs: this.#during.pulses.firstMs }),
      usualWriteMs: usualWriteMs(),
      now,
      onSend: (): void => {
        this.requirePermit(permit);
        sent = true;
        ownPause.begun();
      },
      onPaused: (): void => this.#during?.begin(until),
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
    const { pause, record, report, until } = active;
    let probes = pause.probes;
    if (this.#during?.pulses) {
      await this.#during.pulses.settle(signal);
      // Nothing follows the last pause, so this write shows its end.
      probes = each(probes, (probe) => ({ ...probe, write: sendWrite(probe.writer, now) }));
    }
    const context = {
      redis,
      now,
      runIdBefore: this.runIdBefore,
      whyEarly: () => (ownPause.released || pause.released ? RELEASED : this.#during?.whyEarly),
    };
    const last = { ...active, pause: { ...pause, probes } };
    const ended = await awaitPauseEnd(last, context, signal).finally(() => this.#during?.stop());
    if (ended.endedAt !== undefined) {
      this.active = undefined;
      closeProbes(probes);
      ownPause.ended();
    }
    return this.#during ? withProof(ended, this.#during.result(record, report.startedAt ?? until)) : ended;
  }

  /** The report of a proven pause, including the proof of the further actions. */
  async #proven(report: FaultReport, { probes }: RedisPause, record: RecordEvent): Promise<FaultReport> {
    if (!this.#during) return report;
    const part = report.proof === 'Confirmed' ? await this.#during.prove(record, probes) : undefined;
    const proven = part ? withProof(report, part) : report;
    // An unproven part of a fault shows nothing.
    if (proven.proof !== 'Confirmed') this.#during.stop();
    return proven;
  }
}

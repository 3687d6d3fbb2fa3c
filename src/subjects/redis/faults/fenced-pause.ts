/**
 * A pause of Redis writes that only the process in charge can send: its preconditions, proof and end, and whether a
 * process that is gone sent it.
 */
import { type FaultProof, formatDuration, messageOf } from '../../../api/index.ts';
import type { FaultReport, OrphanFinding } from '../../../demo/observed.ts';
import type { Permit } from '../../../demo/subject.ts';
import { comparePauses, markerOf, parseInfo, type RedisInfo } from '../client/redis-info.ts';
import {
  type FaultListener,
  type FaultMoment,
  type FaultTools,
  type RecordEvent,
  type StoreFault,
  StoreRefusedError,
} from './fault.ts';
import { injectRedisPause, PauseNotSentError, type RedisPause } from './pause.ts';
import { type ActivePause, awaitPauseEnd, reportOfPause } from './pause-report.ts';

/** How long a successor that only inquires stays in charge of Redis; milliseconds. */
const IN_CHARGE_MS = 60_000;

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

/** The certainty of a part of a fault, with its reason. */
export interface Proof {
  readonly proof: FaultProof;
  readonly message: string;
}

type Parts = Pick<FaultTools, 'checkStore' | 'now' | 'ownPause' | 'redis' | 'target' | 'usualWriteMs'>;

export class FencedPause implements StoreFault {
  readonly #parts: Parts;
  readonly #during: DuringPause | undefined;
  #marked: RedisInfo | undefined;
  #pause: ActivePause | undefined;

  constructor(parts: Parts, during?: DuringPause) {
    this.#parts = parts;
    this.#during = during;
  }

  get isActive(): boolean {
    return this.#pause !== undefined;
  }

  /**
   * Since the run began, other clients may have connected to this Redis, or it may have been restarted, so that the
   * lease is on another server. So it is checked again, and taken charge of.
   */
  async prepare(ms: number, signal: AbortSignal): Promise<{ readonly marker: string }> {
    const { redis } = this.#parts;
    await this.#requireFree(signal);
    // First: Redis must not carry out a pause that an earlier process has sent.
    await redis.takeCharge(ms + IN_CHARGE_MS);
    // A missing right is reported now, and not when the fault is due.
    await redis.warmUp();
    await this.#during?.prepare();
    this.#marked = parseInfo(await redis.info('server', 'commandstats'));
    return { marker: markerOf(this.#marked) };
  }

  /** @throws StoreRefusedError, or an error whose message states what to do */
  async #requireFree(signal: AbortSignal): Promise<void> {
    const { checkStore, redis } = this.#parts;
    const check = await checkStore(signal);
    if (check.state === 'refused') throw new StoreRefusedError(check.admission);
    if (check.state === 'restarted') {
      throw new Error(
        `${redis.name} was restarted since the run began, and another ChaosDemo may be using it by now: run again`,
      );
    }
  }

  prepared(): void {
    this.#parts.ownPause.outlived();
  }

  /** The lock is on the server that was prepared. @throws PauseNotSentError if another server answers now */
  async requireSameStore(): Promise<void> {
    const { redis } = this.#parts;
    const info = await redis.info('server').then(parseInfo, (error: unknown) => {
      throw new PauseNotSentError(messageOf(error));
    });
    if (info.runId === this.#marked?.runId) return;
    throw new PauseNotSentError(`${redis.name} was restarted since its key was set up`);
  }

  async inject(
    { plannedAt, until }: FaultMoment,
    listener: FaultListener,
    permit: Permit,
    signal: AbortSignal,
  ): Promise<FaultReport> {
    const { now, ownPause, redis, target, usualWriteMs } = this.#parts;
    // Since the preparation, a Sentinel may have joined, or have begun to fail over sooner.
    if (target.sentinels) await this.#requireFree(signal);
    let sent = false;
    let pause: RedisPause;
    try {
      pause = await injectRedisPause(
        redis,
        {
          plannedAt,
          until,
          askedMs: until - plannedAt,
          usualWriteMs: usualWriteMs(),
          now,
          onSend: () => {
            const refusal = permit.refusal();
            if (refusal !== undefined) throw new PauseNotSentError(refusal);
            sent = true;
            ownPause.begun();
          },
          onPaused: () => this.#during?.begin(until),
        },
        signal,
      );
    } catch (error) {
      this.#during?.stop();
      if (!sent) throw error;
      if (error instanceof PauseNotSentError) {
        ownPause.ended();
        throw error;
      }
      const message = `CLIENT PAUSE was sent, and its effect was not observed: ${messageOf(error)}`;
      return { proof: 'Inconclusive', message, evidence: [] };
    }
    // Once the held write is answered, or its connection is lost, nothing shows that Redis is still paused.
    pause.write.taken
      .then(
        ({ at }) => listener.doubted(at),
        () => listener.doubted(now()),
      )
      .finally(() => this.#during?.stop());
    const report = await this.#proven(reportOfPause(pause, listener.record, now()), listener.record);
    if (report.endedAt === undefined) {
      this.#pause = { report, pause, until, asked: formatDuration(until - plannedAt) };
    } else {
      pause.writer.close();
      ownPause.ended();
    }
    return report;
  }

  async awaitEnd(record: RecordEvent, signal: AbortSignal): Promise<FaultReport> {
    const { now, ownPause, redis } = this.#parts;
    if (!this.#pause) throw new Error('no pause is active');
    const { pause } = this.#pause;
    const context = {
      redis,
      now,
      record,
      runIdBefore: this.#marked?.runId,
      releasedByUs: () => ownPause.released || pause.released,
    };
    const ended = await awaitPauseEnd(this.#pause, context, signal).finally(() => this.#during?.stop());
    const report = this.#during ? withProof(ended, this.#during.result(record)) : ended;
    if (report.endedAt !== undefined) {
      this.#pause = undefined;
      pause.writer.close();
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

  /**
   * By the count of pauses that Redis keeps. A pause that is still in flight is voided before the second comparison.
   */
  async inquire(marker: string): Promise<OrphanFinding> {
    const { redis } = this.#parts;
    const compare = async (): Promise<OrphanFinding> =>
      comparePauses(marker, parseInfo(await redis.info('server', 'commandstats')));
    const found = await compare();
    if (found !== 'NotInjected') return found;
    await redis.takeCharge(IN_CHARGE_MS);
    return await compare();
  }
}

/** A fault is only as certain as its least certain part. The message is that of the unconfirmed part. */
function withProof(report: FaultReport, { message, proof }: Proof): FaultReport {
  return {
    ...report,
    ...(proof !== 'Confirmed' && report.proof === 'Confirmed' && { proof }),
    message: `${report.message}. ${message}`,
    evidence: [...report.evidence, message],
  };
}

/** The writes of Redis stall: preconditions, the command and its proof, its end, and whether a process that is gone sent it. */
import { formatDuration, messageOf } from '../../../../api/index.ts';
import type { FaultReport, OrphanFinding } from '../../../../demo/observed.ts';
import type { Permit } from '../../../../demo/subject.ts';
import { comparePauses, markerOf, parseInfo, type RedisInfo } from '../../store/redis-info.ts';
import type { Toolkit } from '../../tools.ts';
import {
  type FaultListener,
  type FaultMoment,
  type RecordProbe,
  type StoreFault,
  StoreRefusedError,
} from '../fault.ts';
import { injectRedisPause, PauseNotSentError, type RedisPause } from './pause.ts';
import { type ActivePause, awaitPauseEnd, reportOfPause } from './report.ts';

/** How long a successor that only asks stays in charge of Redis, in milliseconds. */
const IN_CHARGE_MS = 60_000;

type Parts = Pick<Toolkit, 'checkStore' | 'now' | 'ownPause' | 'redis' | 'usualWriteMs'>;

export class Stall implements StoreFault {
  readonly #parts: Parts;
  #marked: RedisInfo | undefined;
  #pause: ActivePause | undefined;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  get isActive(): boolean {
    return this.#pause !== undefined;
  }

  /**
   * Since the run began (and a person may have made it wait) others may have come to this Redis, or it may
   * have been restarted, and then the lease is not on it any more. So it is looked at again, and taken charge of.
   */
  async prepare(ms: number, signal: AbortSignal): Promise<{ readonly marker: string }> {
    const { checkStore, redis } = this.#parts;
    const check = await checkStore(signal);
    if (check.state === 'refused') throw new StoreRefusedError(check.admission);
    if (check.state === 'restarted') {
      throw new Error(
        `${redis.name} was restarted since the run began, and another ChaosDemo may be using it by now: run again`,
      );
    }
    // First of all: a pause of whoever worked on it before must not be carried out any more.
    await redis.takeCharge(ms + IN_CHARGE_MS);
    // Also says now, and not at its moment, that a right is missing.
    await redis.warmUp();
    this.#marked = parseInfo(await redis.info('server', 'commandstats'));
    return { marker: markerOf(this.#marked) };
  }

  prepared(): void {
    this.#parts.ownPause.outlived();
  }

  /** The lock is on the server that was prepared. @throws PauseNotSentError if another one answers by now */
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
    const { now, ownPause, redis, usualWriteMs } = this.#parts;
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
        },
        signal,
      );
    } catch (error) {
      if (!sent) throw error;
      if (error instanceof PauseNotSentError) {
        ownPause.ended();
        throw error;
      }
      const message = `CLIENT PAUSE was sent, and what it did was not seen: ${messageOf(error)}`;
      return { proof: 'Inconclusive', message, evidence: [] };
    }
    // Nobody knows whether Redis is still paused once the held write is taken, or its connection is lost.
    pause.write.taken.then(
      ({ at }) => listener.doubted(at),
      () => listener.doubted(now()),
    );
    const report = reportOfPause(pause, listener.record, now());
    if (report.endedAt === undefined) {
      this.#pause = { report, pause, until, asked: formatDuration(until - plannedAt) };
    } else {
      pause.writer.close();
      ownPause.ended();
    }
    return report;
  }

  /** Waits for the end of the pause that is on, and completes its report. @throws the reason of `signal` */
  async awaitEnd(record: RecordProbe, signal: AbortSignal): Promise<FaultReport> {
    const { now, ownPause, redis } = this.#parts;
    if (!this.#pause) throw new Error('no pause is on');
    const { pause } = this.#pause;
    const report = await awaitPauseEnd(
      this.#pause,
      {
        redis,
        now,
        record,
        runIdBefore: this.#marked?.runId,
        releasedByUs: () => ownPause.released || pause.released,
      },
      signal,
    );
    if (report.endedAt !== undefined) {
      this.#pause = undefined;
      pause.writer.close();
      ownPause.ended();
    }
    return report;
  }

  /** By the count of pauses that Redis keeps. What has not been carried out may still be on its way, so that is ended first. */
  async inquire(marker: string): Promise<OrphanFinding> {
    const { redis } = this.#parts;
    const look = async (): Promise<OrphanFinding> =>
      comparePauses(marker, parseInfo(await redis.info('server', 'commandstats')));
    const found = await look();
    if (found !== 'NotInjected') return found;
    await redis.takeCharge(IN_CHARGE_MS);
    return await look();
  }
}

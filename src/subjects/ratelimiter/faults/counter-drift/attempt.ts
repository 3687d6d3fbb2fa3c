/** One attempt of counter drift: from its key to what it left. */
import { formatDuration, parseDuration, type ScenarioSpec } from '../../../../api/index.ts';
import type {
  FaultReport,
  InvariantReading,
  OrphanFinding,
  RecoveryReport,
} from '../../../../demo/observed.ts';
import type { Permit } from '../../../../demo/subject.ts';
import type { DiagnosisRequest } from '../../../../diagnosis/index.ts';
import { runSteadyTraffic } from '../../interfaces/reference/steady-traffic.ts';
import { comparePauses, markerOf, parseInfo, type RedisInfo } from '../../store/redis-info.ts';
import { messageOf, untilAborted } from '../../waiting.ts';
import type { FaultAttempt, Preparation, Toolkit } from '../fault.ts';
import { FaultWatch } from '../fault-watch.ts';
import { prepareKey, usedBefore } from '../fixture.ts';
import { watchRecovery } from '../recovery.ts';
import { DriftInvariant } from './invariant.ts';
import { parametersOf, thresholdOf } from './parameters.ts';
import { injectRedisPause, PauseNotSentError, type RedisPause } from './pause.ts';
import { awaitPauseEnd, type PauseOnShow, reportOfPause } from './report.ts';

/** How long a session stays in charge of Redis beyond the two windows that a prepared key may last, in milliseconds. */
const IN_CHARGE_BEYOND_MS = 60_000;

export class CounterDriftAttempt implements FaultAttempt {
  readonly #scenario: ScenarioSpec;
  readonly #toolkit: Toolkit;
  #invariant: DriftInvariant | undefined;
  #watch: FaultWatch | undefined;
  #marked: RedisInfo | undefined;
  #pause: PauseOnShow | undefined;

  constructor(scenario: ScenarioSpec, toolkit: Toolkit) {
    this.#scenario = scenario;
    this.#toolkit = toolkit;
  }

  /**
   * Since the run began (and a person may have made it wait) others may have come to this Redis, or it may
   * have been restarted, and then the lease is not on it any more. So it is looked at again.
   */
  async prepare(key: string, signal: AbortSignal): Promise<Preparation> {
    const { baseline, checkStore, limiter, ownPause, redis, target } = this.#toolkit;
    const check = await checkStore(signal);
    if (check.state === 'refused') return { refused: check.admission };
    if (check.state === 'restarted') {
      throw new Error(
        `${redis.name} was restarted since the run began, and another ChaosDemo may be using it by now: run again`,
      );
    }
    // First of all: a pause of whoever worked on it before must not be carried out any more.
    await redis.takeCharge(2 * parseDuration(limiter.limit.window) + IN_CHARGE_BEYOND_MS);
    // Also says now, and not at its moment, that a right is missing.
    await redis.warmUp();
    const info = parseInfo(await redis.info('server', 'commandstats'));
    const { window, prepared } = await prepareKey(this.#toolkit, key, signal);
    const { invariant: judged, requestsPerSecond, settle } = parametersOf(this.#scenario);
    const invariant = new DriftInvariant({
      nodes: target.nodes.map(({ name }) => name),
      limit: limiter.limit.requests,
      judged,
      threshold: thresholdOf(this.#scenario, limiter),
      lag: baseline()?.lags.get(requestsPerSecond)?.lag,
    });
    this.#invariant = invariant;
    this.#marked = info;
    this.#watch = new FaultWatch({
      scenario: this.#scenario.name,
      invariant,
      window,
      settleMs: parseDuration(settle),
      toolkit: this.#toolkit,
      requestsPerSecond,
      noted: ({ endedAt }, timeline) => timeline.traffic(endedAt, invariant.traffic),
    });
    // It is prepared only once no earlier pause can be on.
    ownPause.outlived();
    return { prepared: { ...prepared, marker: markerOf(info) } };
  }

  async inject(
    { plannedAt, until }: { readonly plannedAt: number; readonly until: number },
    permit: Permit,
    signal: AbortSignal,
  ): Promise<FaultReport> {
    const { baseline, now, ownPause, redis } = this.#toolkit;
    const watch = this.#prepared();
    await this.#requireSameRedis();
    const used = await usedBefore(this.#toolkit, watch.window, signal);
    if (used !== undefined) return used;
    watch.planned(until);
    let sent = false;
    let pause: RedisPause;
    try {
      pause = await injectRedisPause(
        redis,
        {
          plannedAt,
          until,
          askedMs: until - plannedAt,
          usualWriteMs: baseline()?.writeMaxMs ?? 0,
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
      (at) => watch.doubted(at),
      () => watch.doubted(now()),
    );
    const report = reportOfPause(pause, watch.timeline, now());
    watch.reported(report);
    if (report.endedAt === undefined) {
      this.#pause = { report, pause, until, asked: formatDuration(until - plannedAt) };
    } else {
      pause.writer.close();
      ownPause.ended();
    }
    return report;
  }

  /** The lock is on the server that the key was set up on. @throws PauseNotSentError where another one answers by now */
  async #requireSameRedis(): Promise<void> {
    const { redis } = this.#toolkit;
    const info = await redis.info('server').then(parseInfo, (error: unknown) => {
      throw new PauseNotSentError(messageOf(error));
    });
    if (info.runId === this.#marked?.runId) return;
    throw new PauseNotSentError(`${redis.name} was restarted since its key was set up`);
  }

  async awaitEnd(tell: (report: FaultReport) => void, signal: AbortSignal): Promise<void> {
    const { now, ownPause, redis } = this.#toolkit;
    const watch = this.#watch;
    if (!this.#pause || !watch) return await untilAborted(signal);
    const { pause } = this.#pause;
    const report = await awaitPauseEnd(
      this.#pause,
      {
        redis,
        now,
        timeline: watch.timeline,
        runIdBefore: this.#marked?.runId,
        releasedByUs: () => ownPause.released || pause.released,
      },
      signal,
    );
    if (report.endedAt !== undefined) {
      this.#pause = undefined;
      pause.writer.close();
      ownPause.ended();
      watch.reported(report);
    }
    tell(report);
  }

  async watch(tell: (reading: InvariantReading) => void, signal: AbortSignal): Promise<void> {
    await (this.#watch?.run(tell, signal) ?? untilAborted(signal));
  }

  /** The traffic of a fault ends with the fault, also where nobody can store meanwhile that it is over. */
  async load(signal: AbortSignal): Promise<void> {
    const left = (this.#watch?.until ?? Infinity) - this.#toolkit.now();
    const over = Number.isFinite(left) ? [AbortSignal.timeout(Math.max(0, Math.ceil(left)))] : [];
    await this.#load(AbortSignal.any([signal, ...over]));
    await untilAborted(signal);
  }

  async #load(signal: AbortSignal): Promise<void> {
    const { lifetime, loaders: clients, now } = this.#toolkit;
    const [invariant, watch] = [this.#invariant, this.#watch];
    if (!watch || !invariant) return await untilAborted(signal);
    const { requestsPerSecond } = parametersOf(this.#scenario);
    const { key, windowId } = watch.window;
    const traffic = runSteadyTraffic(
      { clients, key, windowId, requestsPerSecond },
      {
        sent: (node) => invariant.sent(node),
        answered(node, allowed) {
          if (invariant.answered(node, allowed, now())) watch.changed();
          else if (invariant.urgent) watch.lookNow();
        },
        unanswered: (node) => invariant.unanswered(node),
      },
      signal,
      lifetime,
    );
    // Answers that are still open count when they come; nobody has to wait for them here.
    await Promise.race([traffic, untilAborted(signal)]);
  }

  async recover(settleMs: number, signal: AbortSignal): Promise<RecoveryReport> {
    const { now, observers, redis, timeoutMs } = this.#toolkit;
    const pauseLeft = this.#watch ? Math.max(0, this.#watch.until - now()) : 0;
    return await watchRecovery(
      {
        observers,
        redis,
        window: this.#watch?.window,
        drifted: this.#invariant?.drifted ?? false,
        admitted: this.#invariant?.admitted ?? new Map(),
        writeWithinMs: (Number.isFinite(pauseLeft) ? pauseLeft : 0) + timeoutMs + settleMs,
        settleMs,
        now,
      },
      signal,
    );
  }

  diagnosisRequest(): DiagnosisRequest | undefined {
    const watch = this.#watch;
    if (watch && this.#invariant) {
      watch.timeline.traffic(this.#toolkit.now(), this.#invariant.traffic, true);
    }
    return watch?.request();
  }

  /** By the count of pauses that Redis keeps. What has not been carried out may still be on its way, so that is ended first. */
  async inquire(marker: string): Promise<OrphanFinding> {
    const { redis } = this.#toolkit;
    const look = async (): Promise<OrphanFinding> =>
      comparePauses(marker, parseInfo(await redis.info('server', 'commandstats')));
    const found = await look();
    if (found !== 'NotInjected') return found;
    await redis.takeCharge(IN_CHARGE_BEYOND_MS);
    return await look();
  }

  #prepared(): FaultWatch {
    if (!this.#watch) throw new PauseNotSentError('its key was not set up by this process');
    return this.#watch;
  }
}

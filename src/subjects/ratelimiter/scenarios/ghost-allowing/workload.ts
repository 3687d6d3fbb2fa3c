/**
 * Over-admission in bursts: each of one caller, to all pods at once, and samples of the counters if pods report any.
 */
import { counted, messageOf, type ScenarioSpec, truncate } from '../../../../api/index.ts';
import type { FaultReport, Prepared } from '../../../../demo/observed.ts';
import type { Permit } from '../../../../demo/subject.ts';
import type { FaultMoment } from '../../../redis/faults/fault.ts';
import { pauseFor, untilAborted } from '../../../waiting.ts';
import { trialKeys } from '../../checkers/burst-trials.ts';
import { countEvent } from '../../history/counts.ts';
import { sendBurst } from '../../http/burst.ts';
import { BurstNotSentError, spread } from '../../http/burst-plan.ts';
import { TLS_COST } from '../../http/dial.ts';
import { SAMPLE_EVERY_MS, Turn, watchCounters } from '../../interfaces/counter-watch.ts';
import { limitOf } from '../../interfaces/http/limit-of-spec.ts';
import { healthPathOf } from '../../interfaces/reference/preset.ts';
import type { RateLimit } from '../../limits/rate-limit.ts';
import { fitsFrom } from '../../limits/window-turn.ts';
import type { Toolkit } from '../../tools.ts';
import { burstEvents } from '../../workloads/burst.ts';
import { usedBefore } from '../used-before.ts';
import type { Recording, Stage, Workload } from '../workload.ts';
import type { GhostJudge } from './judge.ts';
import { burstRoomMs, parametersOf, requestsOf } from './parameters.ts';

/** Pause after the first trial, and what each later pause adds to it: no two trials hit a sync at the same phase. */
const REST_MS = 100;
const REST_LONGER_MS = 17;
/** How long a new caller can be used; milliseconds. */
const USABLE_MS = 600_000;
/** The counters of many keys are sampled less often: the interval is at most this many times longer. */
const MOST_SPARSE = 5;

export class BurstWorkload implements Workload<GhostJudge> {
  readonly #scenario: ScenarioSpec;
  readonly #toolkit: Toolkit;
  readonly #limit: RateLimit;
  /** The next sample of the counters of a caller, by its key. */
  readonly #turns = new Map<string, Turn>();
  #recording: Recording<GhostJudge> | undefined;

  constructor(scenario: ScenarioSpec, toolkit: Toolkit) {
    this.#scenario = scenario;
    this.#toolkit = toolkit;
    this.#limit = limitOf(toolkit.limiter);
  }

  /** Sends no request that counts: a caller is new to the limiter until its burst. */
  async prepare(
    fixture: string,
    stage: Stage<GhostJudge>,
    signal: AbortSignal,
  ): Promise<Omit<Prepared, 'sequence'>> {
    const { now, ownLimit, reference } = this.#toolkit;
    const { trials } = parametersOf(this.#scenario);
    await ownLimit?.untilReplenished(signal);
    const keys = trialKeys(fixture, trials);
    const prepared = (await reference?.prepare(keys, signal)) ?? {
      fixture,
      usableUntil: Math.floor(now() + USABLE_MS),
      message: ownLimit
        ? "The limit of the operator's address is whole"
        : `${counted(trials, 'caller')} that the rate limiter has never seen: ${fixture}`,
    };
    this.#recording = stage.record();
    for (const key of keys) this.#turns.set(key, new Turn());
    return prepared;
  }

  async inject({ plannedAt, until }: FaultMoment, permit: Permit, signal: AbortSignal): Promise<FaultReport> {
    const { now, reference } = this.#toolkit;
    const { history, judge } = this.#recorded;
    for (const [i, key] of judge.keys.entries()) {
      try {
        if (i > 0) await this.#rest(i, signal);
        // If the counters cannot be read, the burst will report why.
        const used = reference && (await usedBefore(this.#toolkit, key, signal).catch(() => undefined));
        signal.throwIfAborted();
        if (used && i === 0) return used;
        if (used) throw new BurstNotSentError(used.message);
        const at = i === 0 ? Math.max(plannedAt, now()) : now();
        await this.#burst(
          key,
          fitsFrom(this.#limit, burstRoomMs(this.#toolkit.limiter), at),
          until,
          permit,
          signal,
        );
        this.#turns.get(key)?.now();
        if (judge.trials.at(-1)?.report.proof !== 'Confirmed') break;
      } catch (error) {
        signal.throwIfAborted();
        if (i === 0) throw error;
        history.append({ kind: 'stopped', at: now(), why: truncate(messageOf(error), 512) });
        break;
      }
    }
    // What the pods report of the last burst is available a moment later, and belongs to the evidence.
    if (reference) await pauseFor(REST_MS, signal).catch(() => undefined);
    return judge.report;
  }

  async #rest(trial: number, signal: AbortSignal): Promise<void> {
    const { ownLimit } = this.#toolkit;
    await (ownLimit?.untilReplenished(signal) ?? pauseFor(REST_MS + REST_LONGER_MS * trial, signal));
  }

  async watch(signal: AbortSignal, report: () => void): Promise<void> {
    report();
    const keys = this.#toolkit.reference ? this.#recorded.judge.keys : [];
    await Promise.all([
      untilAborted(signal),
      ...keys.map(async (key) => await this.#watchCounters(key, signal)),
    ]);
  }

  async #watchCounters(key: string, signal: AbortSignal): Promise<void> {
    const { reference } = this.#toolkit;
    const { history, judge } = this.#recorded;
    if (!reference) return;
    const everyMs = SAMPLE_EVERY_MS * Math.min(judge.keys.length, MOST_SPARSE);
    const turn = this.#turns.get(key) ?? new Turn();
    await watchCounters(
      async (end) => await reference.sample(key, end),
      (sample) => {
        history.append(countEvent(key, sample));
      },
      signal,
      { everyMs, turn },
    );
  }

  async #burst(key: string, at: number, until: number, permit: Permit, signal: AbortSignal): Promise<void> {
    const { budget, callers, dial, limiter, now, ownLimit, reference, target, timeoutMs } = this.#toolkit;
    const request = callers.requestOf(key);
    const onStart = (): void => {
      const refusal = now() > until ? 'its time was over' : permit.refusal();
      if (refusal !== undefined) throw new BurstNotSentError(refusal);
    };
    const plan = {
      requests: spread(target.pods, requestsOf(this.#scenario, limiter, target.pods.length), () => request),
      // Over TLS it would take CPU time that the burst needs.
      ...(!dial && { wakeUp: { method: 'GET', path: healthPathOf(limiter) } }),
      timeoutMs,
      budget,
      at,
      until,
      now,
      onStart,
      ...(dial && { dial, cost: TLS_COST }),
    };
    const burst = await sendBurst({ ...plan, read: (answer) => callers.read(answer) }, signal).finally(() =>
      ownLimit?.used(),
    );
    const { history } = this.#recorded;
    const result = reference && `${request.method} ${request.path}`;
    const { burst: event, requests } = burstEvents(key, burst, now(), result);
    for (const sent of requests) history.request(sent);
    history.append(event);
  }

  get #recorded(): Recording<GhostJudge> {
    if (!this.#recording) throw new Error('the workload was not prepared');
    return this.#recording;
  }
}

/** One attempt of ghost allowing on a limiter behind HTTP: bursts of one caller each, and what the sender counts. */
import { counted, messageOf, type ScenarioSpec } from '../../../../api/index.ts';
import type { FaultReport, InvariantReading, RecoveryReport } from '../../../../demo/observed.ts';
import type { FaultEvidence, Permit } from '../../../../demo/subject.ts';
import { sendBurst } from '../../http/burst.ts';
import { type Burst, BurstNotSentError, spread } from '../../http/burst-plan.ts';
import { TLS_COST } from '../../http/dial.ts';
import type { Decision } from '../../interfaces/callers.ts';
import { limitOf } from '../../interfaces/http/limit-of-spec.ts';
import { admittedAtOnce, type RateLimit } from '../../limits/rate-limit.ts';
import { CLOCK_WITHIN_MS, untilItFits, windowEnd } from '../../limits/window-turn.ts';
import { proveWrite } from '../../store/write-probe.ts';
import { pauseFor } from '../../waiting.ts';
import type { FaultAttempt, ObservedEvent, Preparation, Toolkit } from '../fault.ts';
import { seenInvariant } from '../fault-watch.ts';
import { watchStore } from '../store-watch.ts';
import { Timeline } from '../timeline.ts';
import { callerReading, mostOfBurst, resultOfCaller } from './caller-reading.ts';
import { GHOST_FORMULA } from './invariant.ts';
import { inOneWindowMs, parametersOf, requestsOf } from './parameters.ts';
import { reportOfBurst } from './report.ts';
import { burstBands, readingOf, reportOf, shownTrial, type Trial, trialKeys } from './trials.ts';

/** Between two trials; milliseconds. */
const REST_MS = 100;
/** How long a caller that was never seen can be used where the limit has no windows by the clock; milliseconds. */
const USABLE_MS = 600_000;

export class CallerBurstAttempt implements FaultAttempt {
  readonly #scenario: ScenarioSpec;
  readonly #toolkit: Toolkit;
  readonly #limit: RateLimit;
  #keys: string[] = [];
  /** One for each key. */
  #timelines: Timeline[] = [];
  readonly #trials: Trial[] = [];
  #stopped: string | undefined;
  #over = false;
  #tell: ((reading: InvariantReading) => void) | undefined;

  constructor(scenario: ScenarioSpec, toolkit: Toolkit) {
    this.#scenario = scenario;
    this.#toolkit = toolkit;
    this.#limit = limitOf(toolkit.limiter);
  }

  /** Nothing is sent: a caller is new to the limiter until its burst. */
  async prepare(fixture: string, signal: AbortSignal): Promise<Preparation> {
    const { limiter, now, ownLimit, target, usualWriteMs } = this.#toolkit;
    const { trials } = parametersOf(this.#scenario);
    await ownLimit?.untilWhole(signal);
    // The whole story of the fault (index.ts): a fixture that is usable for less is refused.
    await untilItFits(this.#limit, inOneWindowMs(this.#scenario, limiter), now, signal);
    this.#keys = trialKeys(fixture, trials);
    this.#timelines = this.#keys.map(() => {
      const timeline = new Timeline(target, now());
      timeline.limit(now(), admittedAtOnce(this.#limit));
      timeline.usualWrites(now(), usualWriteMs() > 0 ? [usualWriteMs()] : []);
      return timeline;
    });
    return {
      prepared: {
        fixture,
        // Where each trial has a window of its own, it waits for that itself.
        usableUntil: Math.floor((ownLimit ? undefined : windowEnd(this.#limit, now())) ?? now() + USABLE_MS),
        message: ownLimit
          ? "The limit of the operator's address is whole"
          : `${counted(trials, 'caller')} that the rate limiter has never seen: ${fixture}`,
      },
    };
  }

  async inject(
    { plannedAt, until }: { readonly plannedAt: number; readonly until: number },
    permit: Permit,
    signal: AbortSignal,
  ): Promise<FaultReport> {
    const { now, target } = this.#toolkit;
    if (this.#keys.length === 0) throw new BurstNotSentError('its callers were not set up by this process');
    for (const [i, key] of this.#keys.entries()) {
      try {
        if (i > 0) await this.#rest(signal);
        const burst = await this.#burst(key, i === 0 ? plannedAt : now(), until, permit, signal);
        const result = resultOfCaller(burst);
        const report = reportOfBurst(result, target.nodes.length);
        const nodes = target.nodes.map(({ name }) => name);
        const settings = {
          limit: this.#limit,
          nodes,
          clockWithinMs: CLOCK_WITHIN_MS,
          oneCaller: this.#toolkit.ownLimit !== undefined,
        };
        const reading = callerReading(settings, burst, now());
        this.#trials.push({ burst: result, report, reading });
        for (const [at, timeline] of this.#timelines.entries()) {
          if (at !== i) {
            timeline.otherBurst(
              result,
              settings.oneCaller ? 'the same caller, in a window of its own,' : 'another caller',
            );
            continue;
          }
          timeline.burst(result);
          const most = mostOfBurst(settings, result);
          timeline.limit(result.startedAt, admittedAtOnce(this.#limit));
          timeline.limit(most.at, most.bound);
        }
        if (report.proof !== 'Confirmed') break;
      } catch (error) {
        signal.throwIfAborted();
        if (i === 0) throw error;
        this.#stopped = messageOf(error);
        break;
      }
    }
    this.#over = true;
    this.#told();
    return reportOf(this.#trials, target.nodes.length);
  }

  async #rest(signal: AbortSignal): Promise<void> {
    const { now, ownLimit, timeoutMs } = this.#toolkit;
    if (!ownLimit) return await pauseFor(REST_MS, signal);
    await ownLimit.untilWhole(signal);
    await untilItFits(this.#limit, timeoutMs, now, signal);
  }

  async watch(tell: (reading: InvariantReading) => void, signal: AbortSignal): Promise<void> {
    this.#tell = tell;
    this.#told();
    try {
      await watchStore(this.#toolkit, (event) => this.observe(event), signal);
    } finally {
      this.#tell = undefined;
    }
  }

  async recover(settleMs: number, signal: AbortSignal): Promise<RecoveryReport> {
    const { now, redis, timeoutMs } = this.#toolkit;
    const workedAt = await proveWrite(redis, timeoutMs + settleMs, now, signal);
    if (workedAt === undefined)
      return { measures: [], message: `${redis.name} took no write: check that it runs` };
    return { workedAt, measures: [], message: `${redis.name} takes writes (a real one was accepted)` };
  }

  /** Of the trial whose figures are shown. */
  evidence(): FaultEvidence | undefined {
    const shown = shownTrial(this.#trials);
    const [timeline, trial] = [this.#timelines[shown], this.#trials[shown]];
    if (!timeline) return undefined;
    const originMs = trial?.burst.startedAt ?? timeline.startedAt;
    return {
      originMs,
      pods: timeline.pods,
      bands: burstBands(
        this.#trials.map(({ burst }) => burst),
        shown,
      ),
      bundle: timeline.bundle(originMs, trial && seenInvariant(GHOST_FORMULA, trial.reading)),
    };
  }

  observe(event: ObservedEvent): void {
    for (const timeline of this.#timelines) timeline.take(event);
  }

  async #burst(
    key: string,
    at: number,
    until: number,
    permit: Permit,
    signal: AbortSignal,
  ): Promise<Burst<Decision>> {
    const { budget, callers, dial, limiter, now, ownLimit, target, timeoutMs } = this.#toolkit;
    if (!callers) throw new TypeError('there are no callers');
    const count = requestsOf(this.#scenario, limiter, target.nodes.length);
    const request = callers.requestOf(key);
    const { http } = limiter.interface;
    const onStart = (): void => {
      const refusal = now() > until ? 'its time was over' : permit.refusal();
      if (refusal !== undefined) throw new BurstNotSentError(refusal);
    };
    return await sendBurst(
      {
        requests: spread(target.nodes, count, () => request),
        // Over TLS it would take the time of the processor that the burst needs.
        ...(http && !dial && { wakeUp: { method: 'GET', path: http.health.path } }),
        read: (answer) => callers.read(answer),
        timeoutMs,
        budget,
        at,
        until,
        now,
        onStart,
        ...(dial && { dial, cost: TLS_COST }),
      },
      signal,
    ).finally(() => ownLimit?.used());
  }

  #told(): void {
    if (!this.#tell || (this.#trials.length === 0 && !this.#over)) return;
    const [first] = this.#trials;
    const reading = readingOf(this.#trials, this.#keys.length, first?.reading, this.#stopped);
    // Nothing is sampled: what the sender counted is all there is, and it does not change any more.
    this.#tell({ ...reading, watchedUntil: Number.MAX_SAFE_INTEGER, complete: true });
  }
}

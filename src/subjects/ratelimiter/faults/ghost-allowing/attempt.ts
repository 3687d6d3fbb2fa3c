/** One attempt of ghost allowing: bursts of one caller each, and what the sender and the pods count. */
import { counted, messageOf, parseDuration, type ScenarioSpec } from '../../../../api/index.ts';
import type { FaultReport, InvariantReading, RecoveryReport } from '../../../../demo/observed.ts';
import type { FaultEvidence, Permit } from '../../../../demo/subject.ts';
import { sendBurst } from '../../http/burst.ts';
import { BurstNotSentError, spread } from '../../http/burst-plan.ts';
import { TLS_COST } from '../../http/dial.ts';
import { type BurstResult, burstResultOf } from '../../interfaces/burst-result.ts';
import type { CallerAccess } from '../../interfaces/caller-access.ts';
import { SAMPLE_EVERY_MS } from '../../interfaces/counter-watch.ts';
import { mappingOf } from '../../interfaces/reference/preset.ts';
import { admittedAtOnce } from '../../limits/rate-limit.ts';
import { CLOCK_WITHIN_MS, untilItFits, windowEnd } from '../../limits/window-turn.ts';
import { proveWrite } from '../../store/write-probe.ts';
import { pauseFor } from '../../waiting.ts';
import type { FaultAttempt, ObservedEvent, Preparation, Toolkit } from '../fault.ts';
import { FaultWatch, seenInvariant } from '../fault-watch.ts';
import { watchStore } from '../store-watch.ts';
import { Timeline } from '../timeline.ts';
import { usedBefore } from '../used-before.ts';
import { type CallerSettings, callerReading, mostOfBurst } from './caller-reading.ts';
import { GHOST_FORMULA, GhostInvariant } from './invariant.ts';
import { inOneWindowMs, parametersOf, requestsOf } from './parameters.ts';
import { reportOfBurst } from './report.ts';
import { burstBands, readingOf, reportOf, shownTrial, type Trial, trialKeys } from './trials.ts';

/** Rest between two trials, and what is added from one to the next: no two meet a sync at the same moment. */
const REST_MS = 100;
const REST_LONGER_MS = 17;
/** How long a caller that was never seen can be used if the limit has no windows by the clock; milliseconds. */
const USABLE_MS = 600_000;
/** The counters of many keys are sampled less often, but at least so often. */
const MOST_SPARSE = 5;

/** One caller, and what is seen of it. */
interface Place {
  readonly key: string;
  readonly timeline: Timeline;
  /** Undefined: nobody but the sender reports what was admitted. */
  readonly counters?: { readonly watch: FaultWatch; readonly invariant: GhostInvariant };
}

/** A trial as it was made; its reading goes on if its counters are watched. */
type Made = Omit<Trial, 'reading'> & { readonly place: Place; readonly bySender: InvariantReading };

export class GhostAllowingAttempt implements FaultAttempt {
  readonly #scenario: ScenarioSpec;
  readonly #toolkit: Toolkit;
  readonly #settings: CallerSettings;
  #places: readonly Place[] = [];
  readonly #made: Made[] = [];
  #stopped: string | undefined;
  #over = false;
  #tell: ((reading: InvariantReading) => void) | undefined;

  constructor(scenario: ScenarioSpec, toolkit: Toolkit, { limit }: Pick<CallerAccess, 'limit'>) {
    this.#scenario = scenario;
    this.#toolkit = toolkit;
    this.#settings = {
      limit,
      nodes: toolkit.target.nodes.map(({ name }) => name),
      clockWithinMs: CLOCK_WITHIN_MS,
      oneCaller: toolkit.ownLimit !== undefined,
    };
  }

  /** Sends nothing that counts: a caller is new to the limiter until its burst. */
  async prepare(fixture: string, signal: AbortSignal): Promise<Preparation> {
    const { limiter, now, ownLimit, reference } = this.#toolkit;
    const { limit } = this.#settings;
    const { trials } = parametersOf(this.#scenario);
    await ownLimit?.untilWhole(signal);
    // The whole story of the fault (index.ts): a fixture that is usable for less is refused.
    await untilItFits(limit, inOneWindowMs(this.#scenario, limiter), now, signal);
    const keys = trialKeys(fixture, trials);
    const prepared = (await reference?.prepare(keys, signal)) ?? {
      fixture,
      // If each trial has a window of its own, it waits for that itself.
      usableUntil: Math.floor((ownLimit ? undefined : windowEnd(limit, now())) ?? now() + USABLE_MS),
      message: ownLimit
        ? "The limit of the operator's address is whole"
        : `${counted(trials, 'caller')} that the rate limiter has never seen: ${fixture}`,
    };
    this.#places = keys.map((key) => this.#placeOf(key));
    return { prepared };
  }

  #placeOf(key: string): Place {
    const { now, reference, target, usualWriteMs } = this.#toolkit;
    const { limit, nodes } = this.#settings;
    const full = admittedAtOnce(limit);
    if (!reference) {
      const timeline = new Timeline(target, now());
      timeline.limit(now(), full);
      timeline.usualWrites(now(), usualWriteMs() > 0 ? [usualWriteMs()] : []);
      return { key, timeline };
    }
    const { settle, trials } = parametersOf(this.#scenario);
    const invariant = new GhostInvariant({ nodes, limit: full });
    const watch = new FaultWatch({
      invariant,
      limit: full,
      settleMs: parseDuration(settle),
      toolkit: this.#toolkit,
      source: 'Nodes',
      look: async (end) => await reference.sample(key, end),
      sampleEveryMs: SAMPLE_EVERY_MS * Math.min(trials, MOST_SPARSE),
    });
    return { key, timeline: watch.timeline, counters: { watch, invariant } };
  }

  async inject(
    { plannedAt, until }: { readonly plannedAt: number; readonly until: number },
    permit: Permit,
    signal: AbortSignal,
  ): Promise<FaultReport> {
    const { now, reference, target } = this.#toolkit;
    if (this.#places.length === 0) throw new BurstNotSentError('its callers were not set up by this process');
    for (const [i, place] of this.#places.entries()) {
      try {
        place.counters?.watch.planned(until);
        if (i > 0) await this.#rest(i, signal);
        // If the counters cannot be read, the burst finds out why.
        const used = reference && (await usedBefore(this.#toolkit, place.key, signal).catch(() => undefined));
        signal.throwIfAborted();
        if (used && i === 0) return used;
        if (used) throw new BurstNotSentError(used.message);
        const burst = await this.#burst(place.key, i === 0 ? plannedAt : now(), until, permit, signal);
        const report = reportOfBurst(burst, target.nodes.length);
        this.#note(place, burst, report);
        if (report.proof !== 'Confirmed') break;
      } catch (error) {
        signal.throwIfAborted();
        if (i === 0) throw error;
        this.#stopped = messageOf(error);
        break;
      }
    }
    this.#over = true;
    // What the pods report of the last burst is there a moment later: then all trials are told at once.
    if (reference && this.#made.length > 1) await pauseFor(REST_MS, signal).catch(() => undefined);
    this.#told();
    return reportOf(this.#trials, target.nodes.length);
  }

  async #rest(trial: number, signal: AbortSignal): Promise<void> {
    const { now, ownLimit, timeoutMs } = this.#toolkit;
    if (!ownLimit) return await pauseFor(REST_MS + REST_LONGER_MS * trial, signal);
    await ownLimit.untilWhole(signal);
    await untilItFits(this.#settings.limit, timeoutMs, now, signal);
  }

  /** Takes in a burst that was sent. */
  #note(place: Place, burst: BurstResult, report: FaultReport): void {
    const { now } = this.#toolkit;
    const { limit, oneCaller } = this.#settings;
    this.#made.push({ burst, report, place, bySender: callerReading(this.#settings, burst, now()) });
    for (const { timeline } of this.#places) {
      if (timeline !== place.timeline) {
        timeline.otherBurst(burst, oneCaller ? 'the same caller, in a window of its own,' : 'another caller');
        continue;
      }
      timeline.burst(burst);
      const most = mostOfBurst(this.#settings, burst);
      timeline.limit(burst.startedAt, admittedAtOnce(limit));
      timeline.limit(most.at, most.bound);
    }
    if (!place.counters) return;
    // The last answer is there: whether the pods agree shows now, and not when their turn comes.
    place.counters.invariant.setBurst(burst, now());
    place.counters.watch.reported(report);
    place.counters.watch.lookNow();
  }

  async watch(tell: (reading: InvariantReading) => void, signal: AbortSignal): Promise<void> {
    this.#tell = tell;
    this.#told();
    try {
      await Promise.all([
        watchStore(this.#toolkit, (event) => this.observe(event), signal),
        ...this.#places.map(async ({ counters }) => await counters?.watch.run(() => this.#told(), signal)),
      ]);
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
    const trials = this.#trials;
    const shown = shownTrial(trials);
    const [place, trial] = [this.#places[shown], trials[shown]];
    if (!place) return undefined;
    const bands = burstBands(
      trials.map(({ burst }) => burst),
      shown,
    );
    if (place.counters) return { ...place.counters.watch.evidence(), bands };
    const { timeline } = place;
    const originMs = trial?.burst.startedAt ?? timeline.startedAt;
    const bundle = timeline.bundle(originMs, trial && seenInvariant(GHOST_FORMULA, trial.reading));
    return { originMs, pods: timeline.pods, bands, bundle };
  }

  observe(event: ObservedEvent): void {
    for (const { timeline } of this.#places) timeline.take(event);
  }

  async #burst(
    key: string,
    at: number,
    until: number,
    permit: Permit,
    signal: AbortSignal,
  ): Promise<BurstResult> {
    const { budget, callers, dial, limiter, now, ownLimit, reference, target, timeoutMs } = this.#toolkit;
    const request = callers.requestOf(key);
    const onStart = (): void => {
      const refusal = now() > until ? 'its time was over' : permit.refusal();
      if (refusal !== undefined) throw new BurstNotSentError(refusal);
    };
    const plan = {
      requests: spread(target.nodes, requestsOf(this.#scenario, limiter, target.nodes.length), () => request),
      // Over TLS it would take the time of the processor that the burst needs.
      ...(!dial && { wakeUp: { method: 'GET', path: mappingOf(limiter).health.path } }),
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
    return burstResultOf(burst, reference && `${request.method} ${request.path}`);
  }

  get #trials(): Trial[] {
    return this.#made.map(({ bySender, burst, place, report }) => {
      return { burst, report, reading: place.counters?.watch.reading() ?? bySender };
    });
  }

  #told(): void {
    const [first] = this.#places;
    if (!this.#tell || !first) return;
    const trials = this.#trials;
    if (first.counters) {
      return this.#tell(
        readingOf(trials, this.#places.length, first.counters.watch.reading(), this.#stopped),
      );
    }
    if (trials.length === 0 && !this.#over) return;
    const reading = readingOf(trials, this.#places.length, trials[0]?.reading, this.#stopped);
    // Nothing is sampled: what the sender counted is all there is, and it does not change any more.
    this.#tell({ ...reading, watchedUntil: Number.MAX_SAFE_INTEGER, complete: true });
  }
}

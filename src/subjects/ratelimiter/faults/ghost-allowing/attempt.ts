/** One attempt of ghost allowing: from its keys to what it left. */
import { messageOf, parseDuration, type ScenarioSpec } from '../../../../api/index.ts';
import type { FaultReport, InvariantReading, RecoveryReport } from '../../../../demo/observed.ts';
import type { FaultEvidence, Permit } from '../../../../demo/subject.ts';
import type { BurstResult } from '../../interfaces/burst-result.ts';
import { BurstNotSentError, injectBurstTraffic } from '../../interfaces/reference/check-burst.ts';
import { SAMPLE_EVERY_MS } from '../../interfaces/reference/counter-watch.ts';
import { sendWrite } from '../../store/write-probe.ts';
import { pauseFor, untilAborted } from '../../waiting.ts';
import type { FaultAttempt, ObservedEvent, Preparation, Toolkit } from '../fault.ts';
import { FaultWatch } from '../fault-watch.ts';
import { prepareKeys, usedBefore } from '../fixture.ts';
import { watchRecovery } from '../recovery.ts';
import { watchStore } from '../store-watch.ts';
import { GhostInvariant } from './invariant.ts';
import { parametersOf, requestsOf } from './parameters.ts';
import { reportOfBurst } from './report.ts';
import { burstBands, readingOf, reportOf, shownTrial, type Trial, trialKeys } from './trials.ts';

/** Rest between two trials, and what is added from one to the next: no two meet a sync at the same moment. */
const REST_MS = 100;
const REST_LONGER_MS = 17;
/** The counters of many keys are sampled less often, but at least so often. */
const MOST_SPARSE = 5;

/** A key, and what is seen of it. */
interface Place {
  readonly watch: FaultWatch;
  readonly invariant: GhostInvariant;
}

export class GhostAllowingAttempt implements FaultAttempt {
  readonly #scenario: ScenarioSpec;
  readonly #toolkit: Toolkit;
  #places: Place[] = [];
  #bursts: { readonly burst: BurstResult; readonly report: FaultReport }[] = [];
  #stopped: string | undefined;
  #tell: ((reading: InvariantReading) => void) | undefined;

  constructor(scenario: ScenarioSpec, toolkit: Toolkit) {
    this.#scenario = scenario;
    this.#toolkit = toolkit;
  }

  async prepare(key: string, signal: AbortSignal): Promise<Preparation> {
    const { limiter, target } = this.#toolkit;
    const { settle, trials } = parametersOf(this.#scenario);
    const { windows, prepared } = await prepareKeys(this.#toolkit, trialKeys(key, trials), signal);
    const nodes = target.nodes.map(({ name }) => name);
    this.#places = windows.map((window) => {
      const invariant = new GhostInvariant({ nodes, limit: limiter.limit.requests });
      const watch = new FaultWatch({
        invariant,
        window,
        settleMs: parseDuration(settle),
        toolkit: this.#toolkit,
        sampleEveryMs: SAMPLE_EVERY_MS * Math.min(trials, MOST_SPARSE),
      });
      return { watch, invariant };
    });
    return { prepared };
  }

  async inject(
    { plannedAt, until }: { readonly plannedAt: number; readonly until: number },
    permit: Permit,
    signal: AbortSignal,
  ): Promise<FaultReport> {
    const { now, target } = this.#toolkit;
    if (this.#places.length === 0) throw new BurstNotSentError('its key was not set up by this process');
    for (const [i, place] of this.#places.entries()) {
      place.watch.planned(until);
      try {
        if (i > 0) await pauseFor(REST_MS + REST_LONGER_MS * i, signal);
        // Where the counters cannot be read, the burst finds out why.
        const used = await usedBefore(this.#toolkit, place.watch.window, signal).catch(() => undefined);
        signal.throwIfAborted();
        if (used && i === 0) return used;
        if (used) throw new BurstNotSentError(used.message);
        const burst = await this.#burst(place, i === 0 ? plannedAt : now(), until, permit, signal);
        const report = reportOfBurst(burst, target.nodes.length);
        this.#bursts.push({ burst, report });
        place.watch.reported(report);
      } catch (error) {
        signal.throwIfAborted();
        if (i === 0) throw error;
        this.#stopped = messageOf(error);
      }
      const { proof } = this.#bursts[i]?.report ?? {};
      if (proof !== 'Confirmed') break;
    }
    // What the nodes say of the last burst shows as soon as they were asked: then all trials are told at once.
    if (this.#bursts.length > 1) await pauseFor(REST_MS, signal).catch(() => undefined);
    this.#told();
    return reportOf(this.#trials(), target.nodes.length);
  }

  async #burst(
    { watch, invariant }: Place,
    at: number,
    until: number,
    permit: Permit,
    signal: AbortSignal,
  ): Promise<BurstResult> {
    const { budget, limiter, now, redis, target, timeoutMs } = this.#toolkit;
    const requests = requestsOf(this.#scenario, limiter, target.nodes.length);
    const { key, windowId } = watch.window;
    // A write meanwhile shows whether it was Redis that stood in the way.
    const writer = await redis.openProbeWriter().catch(() => undefined);
    let probe: Promise<void> | undefined;
    const onStart = (): void => {
      const refusal = now() > until ? 'its time was over' : permit.refusal();
      if (refusal !== undefined) throw new BurstNotSentError(refusal);
      if (!writer) return;
      const { sentAt, taken } = sendWrite(writer, now);
      probe = taken.then(
        ({ at }) => watch.timeline.writeAccepted(at, at - sentAt),
        () => undefined,
      );
    };
    try {
      const { nodes } = target;
      const burst = await injectBurstTraffic(
        { nodes, key, windowId, requests, timeoutMs, at, until, now, onStart, budget },
        signal,
      );
      // The last answer is there: whether the nodes agree shows now, and not when their turn comes.
      invariant.setBurst(burst, now());
      watch.lookNow();
      // Answered long ago, or never: the burst waits for no write.
      await Promise.race([probe, new Promise((resolve) => setImmediate(resolve))]);
      for (const {
        watch: { timeline },
      } of this.#places) {
        if (timeline === watch.timeline) timeline.burst(burst);
        else timeline.otherBurst(burst);
      }
      return burst;
    } finally {
      writer?.close();
    }
  }

  async watch(tell: (reading: InvariantReading) => void, signal: AbortSignal): Promise<void> {
    if (this.#places.length === 0) return await untilAborted(signal);
    this.#tell = tell;
    try {
      await Promise.all([
        watchStore(this.#toolkit, (event) => this.observe(event), signal),
        ...this.#places.map(async ({ watch }) => watch.run(() => this.#told(), signal)),
      ]);
    } finally {
      this.#tell = undefined;
    }
  }

  async recover(settleMs: number, signal: AbortSignal): Promise<RecoveryReport> {
    const { now, observers, redis, timeoutMs } = this.#toolkit;
    const writeWithinMs = timeoutMs + settleMs;
    const window = this.#places[0]?.watch.window;
    return await watchRecovery(
      { observers, redis, window, drifted: false, admitted: new Map(), writeWithinMs, settleMs, now },
      signal,
    );
  }

  /** Of the trial whose figures are shown. */
  evidence(): FaultEvidence | undefined {
    const shown = shownTrial(this.#trials());
    const evidence = this.#places[shown]?.watch.evidence();
    const bursts = this.#bursts.map(({ burst }) => burst);
    return evidence && { ...evidence, bands: burstBands(bursts, shown) };
  }

  observe(event: ObservedEvent): void {
    for (const { watch } of this.#places) watch.timeline.take(event);
  }

  #trials(): Trial[] {
    return this.#bursts.flatMap((made, i) => {
      const reading = this.#places[i]?.watch.reading();
      return reading ? [{ ...made, reading }] : [];
    });
  }

  #told(): void {
    const pending = this.#places[0]?.watch.reading();
    this.#tell?.(readingOf(this.#trials(), this.#places.length, pending, this.#stopped));
  }
}

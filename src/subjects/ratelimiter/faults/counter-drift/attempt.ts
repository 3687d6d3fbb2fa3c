/** One attempt of counter drift: from its key to what it left. */
import { parseDuration, type ScenarioSpec } from '../../../../api/index.ts';
import type {
  FaultReport,
  InvariantReading,
  OrphanFinding,
  RecoveryReport,
} from '../../../../demo/observed.ts';
import type { FaultEvidence, Permit } from '../../../../demo/subject.ts';
import type { ProbeEvent } from '../../history/events.ts';
import type { AdmittedByNode } from '../../interfaces/counts.ts';
import { runSteadyTraffic } from '../../interfaces/steady-traffic.ts';
import { untilAborted } from '../../waiting.ts';
import type { FaultAttempt, ObservedEvent, Preparation, Toolkit } from '../fault.ts';
import { FaultWatch } from '../fault-watch.ts';
import { PauseNotSentError } from '../redis-pause/pause.ts';
import { StorePause } from '../redis-pause/store-pause.ts';
import { watchStore } from '../store-watch.ts';
import { CallerCounters } from './caller-counters.ts';
import type { Counters } from './counters.ts';
import { DriftInvariant } from './invariant.ts';
import { isTold, parametersOf, thresholdOf } from './parameters.ts';
import { ToldCounters } from './told-counters.ts';

export class CounterDriftAttempt implements FaultAttempt {
  readonly #scenario: ScenarioSpec;
  readonly #toolkit: Toolkit;
  readonly #pause: StorePause;
  readonly #counters: Counters;
  #invariant: DriftInvariant | undefined;
  #watch: FaultWatch | undefined;
  #key: string | undefined;

  constructor(scenario: ScenarioSpec, toolkit: Toolkit) {
    this.#scenario = scenario;
    this.#toolkit = toolkit;
    this.#pause = new StorePause(toolkit);
    this.#counters = countersFor(scenario, toolkit);
  }

  async prepare(key: string, signal: AbortSignal): Promise<Preparation> {
    const { baseline, limiter, target } = this.#toolkit;
    const admitted = await this.#pause.prepare(2 * parseDuration(limiter.limit.window), signal);
    if ('refused' in admitted) return admitted;
    const prepared = await this.#counters.prepare(key, signal);
    const { invariant: judged, requestsPerSecond, settle } = parametersOf(this.#scenario);
    const invariant = new DriftInvariant({
      nodes: target.nodes.map(({ name }) => name),
      limit: limiter.limit.requests,
      judged,
      threshold: thresholdOf(this.#scenario, limiter),
      lag: baseline()?.lags.get(requestsPerSecond)?.lag,
      source: this.#counters.source,
      storeDoubt: this.#toolkit.storeDoubt(),
    });
    const allowed = (): AdmittedByNode =>
      new Map([...invariant.traffic].map(([node, counts]) => [node, counts.allowed]));
    this.#invariant = invariant;
    this.#watch = new FaultWatch({
      invariant,
      limit: limiter.limit.requests,
      settleMs: parseDuration(settle),
      toolkit: this.#toolkit,
      requestsPerSecond,
      source: this.#counters.source,
      look: async (end) => await this.#counters.look(key, allowed, end),
    });
    this.#key = key;
    this.#pause.prepared();
    return { prepared: { ...prepared, ...admitted } };
  }

  async inject(
    moment: { readonly plannedAt: number; readonly until: number },
    permit: Permit,
    signal: AbortSignal,
  ): Promise<FaultReport> {
    const [watch, key] = [this.#watch, this.#key];
    if (!watch || key === undefined) throw new PauseNotSentError('its key was not set up by this process');
    await this.#pause.requireSameRedis();
    const used = await this.#counters.usedBefore(key, signal);
    if (used !== undefined) return used;
    watch.planned(moment.until);
    const listener = {
      tell: (event: ProbeEvent) => watch.timeline.take(event),
      doubted: (at: number) => watch.doubted(at),
    };
    const report = await this.#pause.inject(moment, listener, permit, signal);
    if (report.startedAt !== undefined || report.endedAt !== undefined) watch.reported(report);
    return report;
  }

  async awaitEnd(tell: (report: FaultReport) => void, signal: AbortSignal): Promise<void> {
    const watch = this.#watch;
    if (!this.#pause.isOn || !watch) return await untilAborted(signal);
    const report = await this.#pause.awaitEnd((event) => watch.timeline.take(event), signal);
    if (report.endedAt !== undefined) watch.reported(report);
    tell(report);
  }

  async watch(tell: (reading: InvariantReading) => void, signal: AbortSignal): Promise<void> {
    const watch = this.#watch;
    if (!watch) return await untilAborted(signal);
    await Promise.all([
      watch.run(tell, signal),
      watchStore(this.#toolkit, (event) => watch.timeline.take(event), signal),
    ]);
  }

  /** The traffic of a fault ends with the fault, also where nobody can store meanwhile that it is over. */
  async load(signal: AbortSignal): Promise<void> {
    const left = (this.#watch?.until ?? Infinity) - this.#toolkit.now();
    const over = Number.isFinite(left) ? [AbortSignal.timeout(Math.max(0, Math.ceil(left)))] : [];
    await this.#load(AbortSignal.any([signal, ...over]));
    await untilAborted(signal);
  }

  async #load(signal: AbortSignal): Promise<void> {
    const { lifetime, now, room } = this.#toolkit;
    const [invariant, key, watch] = [this.#invariant, this.#key, this.#watch];
    if (!watch || !invariant || key === undefined) return await untilAborted(signal);
    const { requestsPerSecond } = parametersOf(this.#scenario);
    const traffic = runSteadyTraffic(
      { nodes: this.#counters.nodes(key), requestsPerSecond, room },
      {
        sent(node) {
          const takeBack = [watch.timeline.sent(now(), node, 'requests'), invariant.sent(node)] as const;
          return (unreachable) => {
            takeBack[0](now(), unreachable);
            takeBack[1]();
          };
        },
        answered(node, allowed) {
          if (invariant.answered(node, allowed, now())) watch.changed();
          else if (invariant.urgent) watch.lookNow();
        },
        refused: (node) => invariant.refused(node),
        leftOut: () => invariant.leftOut(),
        unanswered: (node) => invariant.unanswered(node),
        ended: (node, got, tookMs) => watch.timeline.answered(now(), node, got, tookMs, 'requests'),
      },
      signal,
      lifetime,
    );
    // Answers that are still open count when they come; nobody has to wait for them here.
    await Promise.race([traffic, untilAborted(signal)]);
  }

  async recover(settleMs: number, signal: AbortSignal): Promise<RecoveryReport> {
    const { now, timeoutMs } = this.#toolkit;
    const pauseLeft = this.#watch ? Math.max(0, this.#watch.until - now()) : 0;
    return await this.#counters.recover(
      {
        key: this.#key,
        drifted: this.#invariant?.drifted ?? false,
        admitted: this.#invariant?.admitted ?? new Map(),
        writeWithinMs: (Number.isFinite(pauseLeft) ? pauseLeft : 0) + timeoutMs + settleMs,
        settleMs,
      },
      signal,
    );
  }

  evidence(): FaultEvidence | undefined {
    return this.#watch && { ...this.#watch.evidence(), bands: [] };
  }

  observe(event: ObservedEvent): void {
    this.#watch?.timeline.take(event);
  }

  async inquire(marker: string): Promise<OrphanFinding> {
    return await this.#pause.inquire(marker);
  }
}

/** Counts that can be read go before the quota that answers report. */
function countersFor(scenario: ScenarioSpec, toolkit: Toolkit): Counters {
  const { limiter } = toolkit;
  const { remaining } = limiter.interface.http ?? {};
  return remaining && isTold(limiter)
    ? new ToldCounters(toolkit, remaining.header, storyMs(scenario, toolkit))
    : new CallerCounters(toolkit, storyMs(scenario, toolkit));
}

/** What has to fit into one window; milliseconds. */
function storyMs(scenario: ScenarioSpec, { timeoutMs }: Pick<Toolkit, 'timeoutMs'>): number {
  const { pause, settle } = parametersOf(scenario);
  return parseDuration(scenario.countdown) + parseDuration(pause) + parseDuration(settle) + timeoutMs;
}

/** One attempt of counter drift: from its key to what it left. */
import { parseDuration, type ScenarioSpec } from '../../../../api/index.ts';
import type {
  FaultReport,
  InvariantReading,
  OrphanFinding,
  RecoveryReport,
} from '../../../../demo/observed.ts';
import type { FaultEvidence, Permit } from '../../../../demo/subject.ts';
import { countEvent } from '../../history/counts.ts';
import type { HistoryEvent, ProbeEvent } from '../../history/events.ts';
import { History } from '../../history/history.ts';
import { Turn, watchCounters } from '../../interfaces/counter-watch.ts';
import type { Toolkit } from '../../tools.ts';
import { untilAborted } from '../../waiting.ts';
import { always, type Due, podByPod, runTraffic } from '../../workloads/traffic.ts';
import type { FaultAttempt, ObservedEvent, Preparation } from '../fault.ts';
import { PauseNotSentError } from '../redis-pause/pause.ts';
import { StorePause } from '../redis-pause/store-pause.ts';
import { faultEvent, setupOf } from '../setup.ts';
import { watchStore } from '../store-watch.ts';
import { Timeline } from '../timeline.ts';
import { CallerCounters } from './caller-counters.ts';
import type { Counters } from './counters.ts';
import { DriftJudge } from './judge.ts';
import { isTold, parametersOf } from './parameters.ts';
import { ToldCounters } from './told-counters.ts';

/** Everything of one key. */
interface Place {
  readonly key: string;
  readonly history: History;
  readonly judge: DriftJudge;
  readonly timeline: Timeline;
}

export class CounterDriftAttempt implements FaultAttempt {
  readonly #scenario: ScenarioSpec;
  readonly #toolkit: Toolkit;
  readonly #pause: StorePause;
  readonly #counters: Counters;
  readonly #turn = new Turn();
  /** Requests on their way, by pod. */
  readonly #inFlight = new Map<string, number>();
  #place: Place | undefined;
  #tell: ((reading: InvariantReading) => void) | undefined;

  constructor(scenario: ScenarioSpec, toolkit: Toolkit) {
    this.#scenario = scenario;
    this.#toolkit = toolkit;
    this.#pause = new StorePause(toolkit);
    this.#counters = countersFor(scenario, toolkit);
  }

  async prepare(key: string, signal: AbortSignal): Promise<Preparation> {
    const { limiter, now, target } = this.#toolkit;
    const admitted = await this.#pause.prepare(2 * parseDuration(limiter.limit.window), signal);
    if ('refused' in admitted) return admitted;
    const prepared = await this.#counters.prepare(key, signal);
    const { requestsPerSecond } = parametersOf(this.#scenario);
    const history = new History(
      setupOf(this.#scenario, this.#toolkit, { fixture: key, preparedAt: now(), requestsPerSecond }),
    );
    const judge = new DriftJudge(history);
    const timeline = new Timeline(target, history.setup.preparedAt);
    this.#place = { key, history, judge, timeline };
    this.#show(this.#place);
    history.listen(() => this.#changed());
    this.#pause.prepared();
    return { prepared: { ...prepared, ...admitted } };
  }

  /** Shows the history in the evidence, as it grows. */
  #show({ history, timeline }: Place): void {
    const { baseline, limiter, preparedAt } = history.setup;
    const { source } = this.#counters;
    timeline.limit(preparedAt, limiter.limit.requests);
    if (baseline) {
      timeline.usualWrites(preparedAt, [baseline.writeP50Ms, baseline.writeMaxMs]);
      if (baseline.lag !== undefined && source !== 'Told') timeline.lag(preparedAt, baseline.lag);
    }
    history.listen((event) => timeline.show(event, source));
  }

  #changed(): void {
    const { judge } = this.#place ?? {};
    if (!judge) return;
    if (judge.hasChanged) this.#tell?.(judge.reading());
    if (judge.isUrgent) this.#turn.now();
  }

  async inject(
    moment: { readonly plannedAt: number; readonly until: number },
    permit: Permit,
    signal: AbortSignal,
  ): Promise<FaultReport> {
    const { history, key } = this.#place ?? {};
    if (!history || key === undefined) throw new PauseNotSentError('its key was not set up by this process');
    await this.#pause.requireSameRedis();
    const used = await this.#counters.usedBefore(key, signal);
    history.append({ kind: 'fault', step: 'Planned', at: moment.plannedAt, until: moment.until });
    const listener = {
      record: (event: ProbeEvent) => history.append(event),
      doubted: (at: number) => history.append({ kind: 'fault', step: 'Doubted', at }),
    };
    const report = used ?? (await this.#pause.inject(moment, listener, permit, signal));
    history.append(faultEvent(report));
    return report;
  }

  async awaitEnd(tell: (report: FaultReport) => void, signal: AbortSignal): Promise<void> {
    const { history } = this.#place ?? {};
    if (!this.#pause.isOn || !history) return await untilAborted(signal);
    const report = await this.#pause.awaitEnd((event) => history.append(event), signal);
    history.append(faultEvent(report));
    tell(report);
  }

  async watch(tell: (reading: InvariantReading) => void, signal: AbortSignal): Promise<void> {
    if (!this.#place) return await untilAborted(signal);
    const { history, judge, key } = this.#place;
    this.#tell = tell;
    try {
      await Promise.all([
        watchCounters(
          async (end) => await this.#counters.look(key, () => judge.allowed, end),
          // What comes after the end of the watch is another story.
          (sample) => judge.isComplete || history.append(countEvent(key, sample, this.#inFlight)),
          signal,
          { turn: this.#turn },
        ),
        watchStore(this.#toolkit, (event) => history.append(event), signal),
      ]);
    } finally {
      this.#tell = undefined;
    }
  }

  /** The traffic of a fault ends with the fault, even if nobody can store by then that it is over. */
  async load(signal: AbortSignal): Promise<void> {
    const left = (this.#place?.history.times.until ?? Infinity) - this.#toolkit.now();
    const over = Number.isFinite(left) ? [AbortSignal.timeout(Math.max(0, Math.ceil(left)))] : [];
    await this.#load(AbortSignal.any([signal, ...over]));
    await untilAborted(signal);
  }

  async #load(signal: AbortSignal): Promise<void> {
    const { askers, callers, lifetime, room, timeoutMs } = this.#toolkit;
    if (!this.#place) return await untilAborted(signal);
    const { history, key } = this.#place;
    const { requestsPerSecond } = parametersOf(this.#scenario);
    const traffic = runTraffic(
      {
        schedule: podByPod(askers, { caller: 'Steady', keys: always(key) }),
        turnsPerSecond: requestsPerSecond,
        callers,
        callerTimeoutMs: timeoutMs,
        room,
        leftOut: () => history.append({ kind: 'left-out', requests: 1 }),
        sending: (due) => this.#sending(due),
      },
      (request) => history.request(request),
      signal,
      lifetime,
    );
    // Answers that are still open count when they come; nobody has to wait for them here.
    await Promise.race([traffic, untilAborted(signal)]);
  }

  #sending({ client }: Due): ReturnType<Counters['sending']> {
    const { name } = client.node;
    const inFlight = this.#inFlight;
    inFlight.set(name, (inFlight.get(name) ?? 0) + 1);
    const heard = this.#counters.sending(name);
    return (asked) => {
      inFlight.set(name, (inFlight.get(name) ?? 0) - 1);
      heard?.(asked);
    };
  }

  async recover(settleMs: number, signal: AbortSignal): Promise<RecoveryReport> {
    const { now, timeoutMs } = this.#toolkit;
    const { history, judge, key } = this.#place ?? {};
    const pauseLeft = Math.max(0, (history?.times.until ?? 0) - now());
    const { message, restedAt, stored, workedAt } = await this.#counters.recover(
      {
        key,
        drifted: judge?.hasDrifted ?? false,
        admitted: judge?.admitted ?? new Map(),
        writeWithinMs: (Number.isFinite(pauseLeft) ? pauseLeft : 0) + timeoutMs + settleMs,
        settleMs,
      },
      signal,
    );
    if (stored !== undefined) history?.append({ kind: 'rest', at: now(), stored });
    const times = { ...(restedAt !== undefined && { restedAt }) };
    if (workedAt === undefined) return { measures: [], message };
    history?.append({ kind: 'recovered', at: workedAt, ...times });
    return { workedAt, ...times, measures: judge?.recovered() ?? [], message };
  }

  evidence(): FaultEvidence | undefined {
    if (!this.#place) return undefined;
    const { history, judge, timeline } = this.#place;
    const { endedAt, startedAt: originMs = timeline.startedAt } = history.times;
    const bundle = timeline.bundle(originMs, judge.seen);
    const seenEnd = endedAt === undefined ? {} : { endedAt };
    return { originMs, ...seenEnd, pods: timeline.pods, bands: [], bundle };
  }

  get history(): History | undefined {
    return this.#place?.history;
  }

  observe(event: ObservedEvent): void {
    this.#place?.history.append(event satisfies HistoryEvent);
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

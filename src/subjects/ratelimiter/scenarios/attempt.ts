/** One attempt of a scenario: its fault and its workload, and the history of what this process observed of both. */
import type { ScenarioSpec } from '../../../api/index.ts';
import type {
  FaultReport,
  InvariantReading,
  OrphanFinding,
  Prepared,
  RecoveryReport,
} from '../../../demo/observed.ts';
import type { FaultEvidence, Permit } from '../../../demo/subject.ts';
import { watchStore } from '../../redis/client/store-watch.ts';
import { proveWrite } from '../../redis/client/write-probe.ts';
import type { FaultListener, FaultMoment, StoreFault } from '../../redis/faults/fault.ts';
import { untilAborted } from '../../waiting.ts';
import type { EventOf } from '../history/events.ts';
import { History } from '../history/history.ts';
import type { Toolkit } from '../tools.ts';
import type { ScenarioType } from './scenario-type.ts';
import { faultEvent, setupOf } from './setup.ts';
import type { Recording, Workload } from './workload.ts';

/** Observations of other components around a fault. */
export type ObservedEvent = EventOf<'gone' | 'health' | 'probe'>;

/** Nothing was injected, and this attempt will not inject anything. */
const UNPREPARED = 'its callers were not set up by this process';

export class Attempt {
  readonly #type: ScenarioType;
  readonly #scenario: ScenarioSpec;
  readonly #toolkit: Toolkit;
  readonly #fault: StoreFault | undefined;
  readonly #workload: Workload;
  #fixture = '';
  #recording: (Recording & { readonly evidence: () => FaultEvidence | undefined }) | undefined;
  #onReading: ((reading: InvariantReading) => void) | undefined;

  /** Opens no connection yet. */
  constructor(type: ScenarioType, scenario: ScenarioSpec, toolkit: Toolkit) {
    this.#type = type;
    this.#scenario = scenario;
    this.#toolkit = toolkit;
    this.#fault = type.fault?.(toolkit, scenario, () => this.#fixture);
    this.#workload = type.workload(scenario, toolkit);
  }

  /** All that was recorded; undefined before preparation, and if another process prepared it. */
  get history(): History | undefined {
    return this.#recording?.history;
  }

  /** Evidence so far; undefined if another process observed it. */
  evidence(): FaultEvidence | undefined {
    return this.#recording?.evidence();
  }

  /**
   * Sets callers up, and takes charge of the store.
   * @throws StoreRefusedError if it must not be disturbed; an error whose message states what to do
   */
  async prepare(fixture: string, signal: AbortSignal): Promise<Omit<Prepared, 'sequence'>> {
    this.#fixture = fixture;
    let marker: { readonly marker?: string } | undefined;
    const stage = {
      admit: async (ms: number, end: AbortSignal) => {
        marker = await this.#fault?.prepare(ms, end);
      },
      record: (requestsPerSecond?: number) => this.#record(fixture, requestsPerSecond),
    };
    const prepared = await this.#workload.prepare(fixture, stage, signal);
    this.#fault?.prepared();
    return { ...prepared, ...marker };
  }

  #record(fixture: string, requestsPerSecond = 0): Recording {
    const preparedAt = this.#toolkit.now();
    const setup = setupOf(this.#scenario, this.#toolkit, { fixture, preparedAt, requestsPerSecond });
    const history = new History(setup);
    const judge = this.#type.judge(history);
    const evidence = this.#type.evidence(history, judge, this.#toolkit.target);
    this.#recording = { fixture, history, judge, evidence };
    history.listen((event) => judge.changes(event) && this.#report());
    return this.#recording;
  }

  /** Injects the fault, once. Consults `permit` right before. @throws only before anything was sent */
  async inject(moment: FaultMoment, permit: Permit, signal: AbortSignal): Promise<FaultReport> {
    const { history } = this;
    if (!history) throw new Error(UNPREPARED);
    await this.#fault?.requireSameStore();
    const unready = await this.#workload.arrive?.(signal);
    history.append({ kind: 'fault', step: 'Planned', at: moment.plannedAt, until: moment.until });
    const listener: FaultListener = {
      record: (event) => history.append(event),
      doubted: (at: number) => history.append({ kind: 'fault', step: 'Doubted', at }),
    };
    const report =
      unready ??
      (await (this.#fault?.inject(moment, listener, permit, signal) ??
        this.#workload.inject?.(moment, permit, signal)));
    if (!report) throw new Error('the scenario has neither a fault nor a workload to inject');
    history.append(faultEvent(report));
    return report;
  }

  /** Waits for the end of a fault that stays active after `inject`, and reports it. */
  async awaitEnd(onReport: (report: FaultReport) => void, signal: AbortSignal): Promise<void> {
    const { history } = this;
    if (!this.#fault?.isActive || !history) return await untilAborted(signal);
    const report = await this.#fault.awaitEnd((event) => history.append(event), signal);
    history.append(faultEvent(report));
    onReport(report);
  }

  /** Sends, probes and judges, until `signal` aborts or everything was observed. */
  async watch(onReading: (reading: InvariantReading) => void, signal: AbortSignal): Promise<void> {
    const { history } = this;
    if (!history || history.last('ended')) return await untilAborted(signal);
    this.#onReading = onReading;
    const over = new AbortController();
    const probes = watchStore(
      this.#toolkit,
      (event) => history.append(event),
      AbortSignal.any([signal, over.signal]),
    );
    try {
      await this.#workload.watch(signal, () => this.#report());
    } finally {
      over.abort();
      await probes;
      this.#onReading = undefined;
    }
  }

  #report(): void {
    const reading = this.#onReading && this.#recording?.judge.reading();
    if (reading) this.#onReading?.(reading);
  }

  /** Steady traffic, until `signal` aborts. */
  async load(signal: AbortSignal): Promise<void> {
    if (this.#recording) await this.#workload.load?.(signal);
  }

  /** Proves that the store works again, and checks the effects of the fault. */
  async recover(settleMs: number, signal: AbortSignal): Promise<RecoveryReport> {
    const { now, redis, timeoutMs } = this.#toolkit;
    const { history, judge } = this.#recording ?? {};
    const left = Math.max(0, (history?.times.until ?? 0) - now());
    const withinMs = (Number.isFinite(left) ? left : 0) + timeoutMs + settleMs;
    let advice = 'check that it runs; if it is still paused, end the pause with: redis-cli CLIENT UNPAUSE';
    const workedAt = await proveWrite(redis, withinMs, now, signal, (failure) => {
      advice = failure;
    });
    if (workedAt === undefined) {
      const message = `${redis.name} accepted no write within ${Math.round(withinMs)} ms: ${advice}`;
      return { measures: [], message };
    }
    const works = `${redis.name} accepts writes (a real one succeeded)`;
    if (!history || !judge) {
      return {
        workedAt,
        measures: [],
        message: `${works}; what the fault left is not known to this process`,
      };
    }
    const { message, restedAt, stored } = (await this.#workload.settle?.(settleMs, signal)) ?? {};
    if (stored !== undefined) history.append({ kind: 'rest', at: now(), stored });
    const times = { ...(restedAt !== undefined && { restedAt }) };
    history.append({ kind: 'recovered', at: workedAt, ...times });
    return {
      workedAt,
      ...times,
      measures: judge.recovered?.() ?? [],
      message: message === undefined ? works : `${works}; ${message}`,
    };
  }

  /** Records observations of other components while the fault is watched: health, and deleted pods. */
  observe(event: ObservedEvent): void {
    this.history?.append(event);
  }

  /** Whether a process that is gone has injected the fault. */
  async inquire(marker: string): Promise<OrphanFinding> {
    return (await this.#fault?.inquire(marker)) ?? 'Unknown';
  }
}

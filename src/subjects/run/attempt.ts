/** One attempt of a scenario: its fault and its workload, and the history of what this process observed of both. */
import {
  type FaultMoment,
  inconclusive,
  NOT_RECORDED,
  NotInjectedError,
  proveWrite,
  type StoreFault,
  type StoreWriter,
  watchStore,
  withProof,
} from '@chaosdemo/redis-faults';
import { untilAborted } from '@chaosdemo/redis-faults/waiting';
import { messageOf, truncate } from '../../api/index.ts';
import type {
  FaultReport,
  InvariantReading,
  OrphanFinding,
  Prepared,
  RecoveryReport,
} from '../../engine/observed.ts';
import { type Permit, type RecordedHistory, unknownInjection, watchedPermit } from '../../engine/subject.ts';
import type { FaultEvidence } from '../../evidence/index.ts';
import type { EventOf } from '../history/events.ts';
import { History } from '../history/history.ts';
import { HistoryLines } from '../history/json-lines.ts';
import { HISTORY_VERSION, type Setup } from '../history/setup.ts';
import { Judge } from '../scenarios/judge.ts';
import type { ScenarioPlan } from '../scenarios/scenario-plan.ts';
import type { ScenarioType } from '../scenarios/scenario-type.ts';
import type { Toolkit } from '../scenarios/tools.ts';
import type { Settled, Workload } from '../scenarios/workload.ts';
import { evidenceOf, unshownIn } from './replay.ts';

/** Observations of other components around a fault. */
export type ObservedEvent = EventOf<'gone' | 'health' | 'memory' | 'probe'>;

/** Nothing was injected, and this attempt will not inject anything. */
const UNPREPARED = 'its callers were not set up by this process';

export class Attempt {
  readonly #type: ScenarioType;
  readonly #plan: ScenarioPlan;
  readonly #toolkit: Toolkit;
  #fault: StoreFault | undefined;
  #workload: Workload | undefined;
  #fixture = '';
  readonly #onFailure: (error: unknown) => void;
  #judge: Judge | undefined;
  #lines: HistoryLines | undefined;
  /** Set when the history was released. */
  #lastDigest: string | undefined;
  /** Likewise. */
  #lastEvidence: FaultEvidence | undefined;
  #onReading: ((reading: InvariantReading) => void) | undefined;

  /**
   * Opens no connection yet.
   * @param onFailure gets an error of the code that judges or draws, for the log: the attempt goes on without it
   */
  constructor(type: ScenarioType, plan: ScenarioPlan, toolkit: Toolkit, onFailure: (error: unknown) => void) {
    this.#onFailure = onFailure;
    this.#type = type;
    this.#plan = plan;
    this.#toolkit = toolkit;
    this.#fault = type.fault?.(plan, toolkit, () => this.#fixture);
    this.#workload = type.workload(plan, toolkit);
  }

  /** All that was recorded; undefined before preparation, and if another process prepared it. */
  get history(): History | undefined {
    return this.#judge?.history;
  }

  /** The history to be stored, until it is released. */
  recorded(): RecordedHistory | undefined {
    const { history } = this;
    return (
      history && {
        take: () => this.#lines?.take() ?? [],
        release: () => {
          this.#lastEvidence = this.evidence();
          this.close();
        },
      }
    );
  }

  /** Evidence so far; undefined if another process observed it. */
  evidence(): FaultEvidence | undefined {
    if (!this.history) return this.#lastEvidence;
    try {
      return evidenceOf(this.history, this.#type);
    } catch (error) {
      this.#onFailure(error);
      return undefined;
    }
  }

  /** Of all that was recorded so far; undefined if another process recorded it. */
  digest(): string | undefined {
    return this.#lines?.digest() ?? this.#lastDigest;
  }

  /** Nothing more is recorded, and the record is not kept: the workload and the fault refer to it. */
  close(): void {
    this.#lastDigest = this.digest();
    this.#lines = undefined;
    this.history?.release();
    this.#judge = undefined;
    this.#workload = undefined;
    this.#fault = undefined;
  }

  /**
   * Sets callers up, and takes charge of the store.
   * @throws StoreRefusedError if it must not be disturbed; an error whose message states what to do
   */
  async prepare(fixture: string, signal: AbortSignal): Promise<Prepared> {
    this.#fixture = fixture;
    let marker: { readonly marker?: string } | undefined;
    const stage = {
      admit: async (ms: number, end: AbortSignal) => {
        marker = await this.#fault?.prepare(ms, end);
      },
      record: () => this.#record(fixture),
    };
    if (!this.#workload) throw new Error('the attempt was closed');
    const prepared = await this.#workload.prepare(fixture, stage, signal);
    this.#fault?.prepared();
    return { fixture, ...prepared, ...marker };
  }

  #record(fixture: string): Judge {
    const setup = setupOf(this.#type, this.#plan, this.#toolkit, fixture);
    const history = new History(setup, this.#toolkit.budget.history);
    const judge = new Judge(history, this.#type, (error) => {
      this.#onFailure(error);
      this.#report();
    });
    this.#judge = judge;
    this.#lines = new HistoryLines(history);
    history.listen((event) => judge.changes(event) && this.#report());
    return judge;
  }

  /**
   * Injects the fault, once. Consults `permit` right before. In the history, it ends when callers have to recover, even
   * if it lingers. @throws only before anything was sent, or if aborted
   */
  async inject(announced: FaultMoment, permit: Permit, signal: AbortSignal): Promise<FaultReport> {
    const { history } = this;
    if (!history) throw new Error(UNPREPARED);
    const { plannedAt, until } = announced;
    const moment = { plannedAt, until: until - this.#plan.lingerMs };
    const watched = watchedPermit(permit);
    try {
      await this.#workload?.arrive?.(signal);
      history.append({ kind: 'fault', step: 'Planned', at: plannedAt, until: moment.until });
      const report = await (this.#fault?.inject(moment, (event) => history.append(event), watched, signal) ??
        this.#workload?.inject?.(moment, watched, signal));
      if (!report) throw new Error('the scenario has neither a fault nor a workload to inject');
      return this.#note(report);
    } catch (error) {
      signal.throwIfAborted();
      if (!watched.granted || error instanceof NotInjectedError) throw error;
      this.#onFailure(error);
      return this.#noteUnknown(unknownInjection(messageOf(error)));
    }
  }

  /** A bug in what records or proves a fault must not hide that it may be active. */
  #noteUnknown(report: FaultReport): FaultReport {
    try {
      return this.#note(report);
    } catch {
      return report;
    }
  }

  /** @returns the report, Confirmed only if the history shows it */
  #note(found: FaultReport): FaultReport {
    const { history } = this;
    if (!history) return found;
    const why = unshownIn(history, this.#plan.mechanism, found.proof, found);
    const report: FaultReport =
      why === undefined || why === NOT_RECORDED
        ? found
        : withProof(found, inconclusive(`Not Confirmed: ${why}`));
    history.append(faultEvent(report));
    return report;
  }

  /** Waits for the end of a fault that stays active after `inject`, and reports it. */
  async awaitEnd(onReport: (report: FaultReport) => void, signal: AbortSignal): Promise<void> {
    const { history } = this;
    if (!this.#fault?.isActive || !history) return await untilAborted(signal);
    const report = this.#note(await this.#fault.awaitEnd(signal));
    const goneAt = await this.#fault.gone?.(signal);
    onReport({ ...report, ...(goneAt !== undefined && { endedAt: goneAt }) });
  }

  /** Sends, probes and judges, until `signal` aborts or everything was observed. */
  async watch(onReading: (reading: InvariantReading) => void, signal: AbortSignal): Promise<void> {
    const { history } = this;
    if (!history || history.last('ended')) return await untilAborted(signal);
    this.#onReading = onReading;
    if (this.#judge?.failed) this.#report();
    const over = new AbortController();
    const probes = watchStore(
      this.#toolkit,
      (event) => history.append(event),
      AbortSignal.any([signal, over.signal]),
    );
    try {
      await this.#workload?.watch(signal, () => this.#report());
    } finally {
      over.abort();
      await probes;
      this.#onReading = undefined;
    }
  }

  #report(): void {
    const reading = this.#onReading && this.#judge?.reading();
    if (reading) this.#onReading?.(reading);
  }

  /** Steady traffic, until `signal` aborts. */
  async load(signal: AbortSignal): Promise<void> {
    if (this.#judge) await this.#workload?.load?.(signal);
  }

  /** Proves that the store works again, and checks the effects of the fault. */
  async recover(settleMs: number, signal: AbortSignal): Promise<RecoveryReport> {
    const { now, redis } = this.#toolkit;
    const judge = this.#judge;
    const { history } = this;
    const left = Math.max(0, (history?.times.until ?? 0) - now());
    // If the Service has not followed a failover by now, no later write shows how the pods recover.
    const isBehind = redis.failover?.hasMoved === false;
    const withinMs = (Number.isFinite(left) ? left : 0) + this.#plan.timeoutMs + (isBehind ? 0 : settleMs);
    let advice = 'check that it runs; if it is still paused, end the pause with: redis-cli CLIENT UNPAUSE';
    const openProbeWriter = async (): Promise<StoreWriter> => {
      // Its error names what keeps the Service from following, and that of a write to the former primary does not.
      await redis.follow();
      return await redis.openProbeWriter();
    };
    const workedAt = await proveWrite({ openProbeWriter }, withinMs, now, signal, (failure) => {
      advice = failure;
    });
    if (workedAt === undefined) {
      const message = `${redis.name} accepted no write within ${Math.round(withinMs)} ms: ${advice}`;
      return { message };
    }
    const works = `${redis.name} accepts writes (a real one succeeded)`;
    if (!history || !judge) {
      return { workedAt, message: `${works}; what the fault left is not known to this process` };
    }
    const { message, restedAt, stored } = await this.#settle(settleMs, signal);
    if (stored !== undefined) history.append({ kind: 'rest', at: now(), stored });
    const times = { ...(restedAt !== undefined && { restedAt }) };
    history.append({ kind: 'recovered', at: workedAt, ...times });
    return {
      workedAt,
      ...times,
      ...judge.recovered(),
      message: message === undefined ? works : `${works}; ${message}`,
    };
  }

  /** That the effects of the fault could not be read is no reason to call the subject not recovered. */
  async #settle(settleMs: number, signal: AbortSignal): Promise<Partial<Settled>> {
    try {
      return (await this.#workload?.settle?.(settleMs, signal)) ?? {};
    } catch (error) {
      signal.throwIfAborted();
      this.#onFailure(error);
      return { message: `what the fault left is not known: ${messageOf(error)}` };
    }
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

/** @param fixture of the attempt, which is set up now */
function setupOf(type: ScenarioType, plan: ScenarioPlan, toolkit: Toolkit, fixture: string): Setup {
  const { control, now, target, usualWriteMs } = toolkit;
  const { storeDoubt } = control() ?? {};
  return {
    kind: 'setup',
    version: HISTORY_VERSION,
    scenario: plan.scenario,
    ...type.setup(plan, toolkit),
    pods: target.pods.map(({ name }) => name),
    redis: target.redis.map(({ podName }) => podName),
    fixture,
    preparedAt: now(),
    usualWriteMs: usualWriteMs(),
    ...(storeDoubt !== undefined && { storeDoubt }),
  };
}

/** Evidence of a report that a history keeps, and the characters of each text. */
const [MOST_EVIDENCE, MOST_TEXT] = [16, 2048];

/** A report of the fault as an event, within the bounds of a history. */
function faultEvent({ endedAt, evidence, message, proof, startedAt }: FaultReport): EventOf<'fault'> {
  return {
    kind: 'fault',
    step: 'Reported',
    ...(startedAt !== undefined && { startedAt }),
    ...(endedAt !== undefined && { endedAt }),
    ...(proof && { proof }),
    message: truncate(message, MOST_TEXT),
    evidence: evidence.slice(0, MOST_EVIDENCE).map((text) => truncate(text, MOST_TEXT)),
  };
}

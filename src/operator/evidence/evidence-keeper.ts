/**
 * Stores the evidence of runs next to their objects: after each chapter, about every 2 s while a fault is observed, and
 * at the end. A write has what is new since the last one: a history grows by pieces, so it survives this process up to
 * then. Writes are asynchronous: decisions, faults and restores do not depend on them. After a write that fails, the next
 * one has everything known by then.
 */

import { endsWithin, within } from '@chaosdemo/kube-runtime';
import { type ChaosDemo, messageOf } from '../../api/index.ts';
import type { Clock } from '../../engine/clock.ts';
import { isBeingObserved } from '../../engine/scenarios.ts';
import type { SubjectDefinition } from '../../engine/subject.ts';
import { diagnosisData, HistoryPieces, runData } from '../../evidence/index.ts';
import { type Logger, loggerFor } from '../log.ts';
import type { EvidenceFiles, EvidenceStore } from '../shell/ports.ts';
import type { Session } from '../shell/session.ts';
import { diagnosisPartOf, runPartOf } from './run-evidence.ts';

/** Minimum interval between writes of a run, in milliseconds. */
const WRITE_INTERVAL_MS = 2000;
/** The same once an event has reported that writes fail. */
const RETRY_INTERVAL_MS = 30_000;
/** How long one write may take, in milliseconds. */
const WRITE_TIMEOUT_MS = 5000;
/** How long the last write is retried, in milliseconds. */
const LAST_WRITE_TIMEOUT_MS = 60_000;
/** How many writes in a row fail before an event reports it: an earlier object of the name is gone in seconds. */
const REPORT_LOSS_AFTER = 5;
/** How long a process waits for writes at its end, in milliseconds. */
const CLOSE_TIMEOUT_MS = 2000;

export interface EvidenceKeeperOptions {
  readonly evidence: EvidenceStore;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Whether the term may still write. */
  readonly hasLead: () => boolean;
  /** Called for a run whose evidence, or the end of it, cannot be stored, with the reason. */
  readonly onRefused: (demo: ChaosDemo, message: string) => void;
}

/** The parts of a session used here. */
export type EvidenceSource = Pick<Session, 'history' | 'observed'>;

interface KeptRun {
  readonly key: string;
  readonly run: number;
  readonly definition: SubjectDefinition;
  /** With the last status of the run. */
  demo: ChaosDemo;
  source: EvidenceSource | undefined;
  /** By the id of the fault. */
  readonly histories: Map<string, HistoryPieces>;
  /** What is in the store, and the uid of the object that has it; undefined: not known. */
  stored?: { readonly uid: string; readonly files: EvidenceFiles } | undefined;
  /** No write has succeeded, and no fault was announced: stored files are from an earlier run of the same number. */
  isFirstWrite: boolean;
  /** Writes that failed in a row. */
  failures: number;
  /** Set at the end of the run. The session is gone by then. */
  last?: EvidenceFiles;
  /** Aborts when `last` is set. */
  readonly ended: AbortController;
  readonly stop: AbortController;
}

export class EvidenceKeeper {
  readonly #options: EvidenceKeeperOptions;
  /** By the key of the object. */
  readonly #runs = new Map<string, KeptRun>();
  /** All runs with something left to write, including ended ones. */
  readonly #working = new Map<KeptRun, Promise<void>>();

  constructor(options: EvidenceKeeperOptions) {
    this.#options = options;
  }

  /** Runs with evidence in memory or still to be written. */
  get size(): number {
    return this.#working.size;
  }

  /** Called for a stored status, before the session of an ended run is closed; returns at once. */
  note(
    key: string,
    demo: ChaosDemo,
    source: EvidenceSource | undefined,
    definition: SubjectDefinition,
  ): void {
    const { run } = demo.status ?? {};
    if (!run) return;
    let kept = this.#runs.get(key);
    if (kept && (kept.demo.metadata.uid !== demo.metadata.uid || kept.run !== run.number)) {
      this.#end(kept, true);
      kept = undefined;
    }
    if (!kept && run.completedAt !== undefined) return;
    kept ??= this.#begin(key, demo, run.number, definition);
    kept.demo = demo;
    kept.source = source ?? kept.source;
    if (run.completedAt !== undefined) this.#end(kept, true);
  }

  /** The object is deleted or being deleted: its evidence goes with it. */
  forget(key: string): void {
    for (const kept of this.#working.keys()) {
      if (kept.key === key) kept.stop.abort(new Error('the object is gone'));
    }
    this.#runs.delete(key);
  }

  /** Writes pending changes, if `flush`, and ends; within twice {@link CLOSE_TIMEOUT_MS}. Never rejects. */
  async close(flush: boolean): Promise<void> {
    const { clock } = this.#options;
    if (flush) for (const kept of this.#runs.values()) this.#end(kept, false);
    this.#runs.clear();
    if (this.#working.size === 0) return;
    const all = Promise.all(this.#working.values());
    if (flush) await endsWithin(clock, CLOSE_TIMEOUT_MS, all);
    for (const { stop } of this.#working.keys()) stop.abort(new Error('this term has ended'));
    await endsWithin(clock, CLOSE_TIMEOUT_MS, all);
  }

  #begin(key: string, demo: ChaosDemo, run: number, definition: SubjectDefinition): KeptRun {
    const kept: KeptRun = {
      key,
      run,
      definition,
      demo,
      source: undefined,
      histories: new Map(),
      isFirstWrite: !demo.status?.scenarios?.some(({ fault }) => fault !== undefined),
      failures: 0,
      ended: new AbortController(),
      stop: new AbortController(),
    };
    this.#runs.set(key, kept);
    const work = this.#work(kept).catch((error: unknown) => this.#giveUp(kept, error));
    this.#working.set(
      kept,
      work.finally(() => this.#working.delete(kept)),
    );
    return kept;
  }

  /** The run has ended, if `complete`, or this process ends. Collects the observations before the session closes. */
  #end(kept: KeptRun, complete: boolean): void {
    this.#runs.delete(kept.key);
    try {
      kept.last = filesOf(kept, this.#options.clock.now(), complete);
    } catch (error) {
      this.#giveUp(kept, error);
    }
    kept.source = undefined;
    kept.ended.abort();
  }

  /** A status that no run can have: it may be forged. */
  #giveUp(kept: KeptRun, error: unknown): void {
    this.#log(kept).error({ err: error }, 'the evidence of a run is not kept any more');
    kept.stop.abort(error);
  }

  async #work(kept: KeptRun): Promise<void> {
    const { clock } = this.#options;
    const stop = kept.stop.signal;
    const pause = async (ms: number, signal: AbortSignal): Promise<void> =>
      await clock.sleep(ms, signal).catch(() => undefined);
    // Statuses stored in the same turn as the first are written with it.
    await Promise.resolve();
    while (!stop.aborted && !kept.last) {
      await this.#write(kept, filesOf(kept, clock.now(), false));
      const ms = kept.failures < REPORT_LOSS_AFTER ? WRITE_INTERVAL_MS : RETRY_INTERVAL_MS;
      if (!kept.last) await pause(ms, AbortSignal.any([stop, kept.ended.signal]));
    }
    const until = clock.monotonic() + LAST_WRITE_TIMEOUT_MS;
    while (!stop.aborted && kept.last && !(await this.#write(kept, kept.last))) {
      if (clock.monotonic() >= until) return;
      await pause(WRITE_INTERVAL_MS, stop);
    }
    if (!stop.aborted) await this.#removeOld(kept);
  }

  /** Writes the files that have changed; returns whether the store has all of them now. */
  async #write(kept: KeptRun, files: EvidenceFiles): Promise<boolean> {
    const { clock, evidence, hasLead } = this.#options;
    const changed = Object.entries(files).filter(([name, text]) => kept.stored?.files[name] !== text);
    if (changed.length === 0) return true;
    // Right before: a process may be frozen between a decision and its write.
    if (!hasLead()) return false;
    const { demo, isFirstWrite, run, stored } = kept;
    const write = async (signal: AbortSignal): Promise<string> => {
      if (isFirstWrite) await evidence.remove(demo, run, signal);
      return await evidence.keep(demo, run, Object.fromEntries(changed), stored?.uid, signal);
    };
    try {
      const uid = await within(clock, WRITE_TIMEOUT_MS, write, kept.stop.signal);
      kept.stored = { uid, files: { ...stored?.files, ...files } };
      kept.isFirstWrite = false;
      if (kept.failures > 0) this.#log(kept).info({ run }, 'the evidence of the run is kept again');
      kept.failures = 0;
      return true;
    } catch (error) {
      if (!kept.stop.signal.aborted) this.#failed(kept, error);
      return false;
    }
  }

  /** Whatever is in the store now, the next write has everything. */
  #failed(kept: KeptRun, error: unknown): void {
    const { hasLead, onRefused } = this.#options;
    kept.stored = undefined;
    kept.failures += 1;
    if (kept.failures === 1)
      this.#log(kept).warn({ err: error, run: kept.run }, 'the evidence of a run could not be written');
    if (kept.failures === REPORT_LOSS_AFTER && hasLead()) onRefused(kept.demo, messageOf(error));
  }

  /** The newest `historyLimit` runs before this one keep their evidence. Failed removals are left to the next run. */
  async #removeOld({ demo, run, stop: { signal } }: KeptRun): Promise<void> {
    const { clock, evidence, hasLead, logger } = this.#options;
    try {
      for (let old = run - 1 - demo.spec.historyLimit; old > 0 && hasLead(); old -= 1) {
        const remove = (each: AbortSignal): Promise<boolean> => evidence.remove(demo, old, each);
        // The run before it has removed the older ones.
        if (!(await within(clock, WRITE_TIMEOUT_MS, remove, signal))) return;
      }
    } catch (error) {
      if (signal.aborted) return;
      loggerFor(logger, demo).warn({ err: error }, 'old evidence could not be removed');
    }
  }

  #log({ demo }: KeptRun): Logger {
    return loggerFor(this.#options.logger, demo);
  }
}

/** All that the store should have by now. `complete`: nothing more will come. */
function filesOf(kept: KeptRun, now: number, complete: boolean): EvidenceFiles {
  const { definition, demo, histories, source } = kept;
  const { status = {} } = demo;
  const { scenarios: entries = [] } = status;
  const planned = new Map(definition.scenarios(demo.spec).map((scenario) => [scenario.name, scenario]));
  const files: Record<string, string> = {};
  const leftOut: string[] = [];
  for (const [index, entry] of entries.entries()) {
    const scenario = planned.get(entry.name);
    if (!scenario || !entry.fault || !source) continue;
    const { observed } = source;
    const { id } = entry.fault;
    const diagnosis = diagnosisPartOf(status, entry.name, entry.fault, observed);
    if (diagnosis) Object.assign(files, diagnosisData(index, diagnosis));
    const history = histories.get(id) ?? new HistoryPieces(index, (entry.retries ?? 0) + 1, entries.length);
    histories.set(id, history);
    const recorded = source.history(id);
    if (recorded) {
      history.add(recorded.take());
      const reading = observed.readings[id];
      const isObserved =
        entry.result !== undefined &&
        (reading?.complete === true || !isBeingObserved(entry.fault, scenario, reading, now));
      // The check after a fault goes into its history, too.
      const isChecked = !scenario.releasable || observed.recoveries[id] !== undefined;
      if (complete || (isObserved && isChecked)) recorded.release();
    } else if (!observed.prepared[id]) {
      // Whether it had been observed to its end is unknown here: the store is never read back.
      leftOut.push(
        `${entry.name}: the thread or process of the operator that had announced the fault has ended, so what it saw may be missing or end early`,
      );
    }
    if (history.isCut)
      leftOut.push(`${entry.name}: the end of its history, which takes more than its share of the ConfigMap`);
    Object.assign(files, history.files);
  }
  const run = runPartOf(demo, leftOut, complete);
  return { ...files, ...(run && runData(run)) };
}

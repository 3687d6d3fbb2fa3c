/**
 * Keeps the evidence of runs beside their objects: about once a second while a fault is watched, and once more at the
 * end. Nobody waits for it: a decision, a fault and a restore go on whatever becomes of a write. Of each run at most
 * one write is under way, and the next has what is known by then; only the last one is tried again.
 */
import { createHash } from 'node:crypto';
import type { ChaosDemo } from '../../api/index.ts';
import type { Clock } from '../../demo/clock.ts';
import type { SubjectDefinition } from '../../demo/subject.ts';
import { otherScenarioKeys } from '../../evidence/index.ts';
import { childLogger, contextOf, type Logger } from '../log.ts';
import { endsWithin, within } from '../shell/deadline.ts';
import type { EvidenceStore, KeptEvidence } from '../shell/ports.ts';
import { EvidenceFiles, type Files, type Witness } from './evidence-files.ts';
import { EvidenceRetention } from './evidence-retention.ts';

/** Between two writes of a run while a fault is watched, in milliseconds. */
const EVERY_MS = 1000;
/** How long one write may take, in milliseconds. */
const WRITE_WITHIN_MS = 5000;
/** How long the last write is tried again, in milliseconds, and the longest rest between two tries. */
const LAST_WITHIN_MS = 60_000;
const LONGEST_REST_MS = 10_000;
/** How long the place of an earlier object of the name is waited for: a cluster removes it within seconds. */
const TAKEN_WITHIN_MS = 30_000;
/** What a process that ends waits for writes, in milliseconds. */
const CLOSE_WITHIN_MS = 2000;

export interface EvidenceKeeperOptions {
  readonly store: EvidenceStore;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Whether the term that this works for may still write. */
  readonly mayWrite: () => boolean;
  /** Told once a run that its evidence cannot be kept, and why. */
  readonly onRefused: (demo: ChaosDemo, message: string) => void;
}

/** One run whose evidence is kept. */
interface Kept {
  readonly key: string;
  readonly uid: string;
  readonly run: number;
  readonly files: EvidenceFiles;
  /** There is something new, or the end of the run. */
  due: boolean;
  /** At the end of the run: all of it that was not written yet. The session is gone by then. */
  last?: Files;
  /** What stands in the store, by the name of the file, as a hash. */
  readonly written: Map<string, string>;
  stored?: KeptEvidence;
  /** No fault is announced yet, so whatever scenarios stand in the store are of an earlier run of the number. */
  first: boolean;
  /** Since when the place is that of an earlier object of the name; by the monotonic clock. */
  takenSince?: number;
  failing: boolean;
  readonly stop: AbortController;
  /** Ends the rest between two writes. */
  wake: () => void;
}

export class EvidenceKeeper {
  readonly #options: EvidenceKeeperOptions;
  readonly #retention: EvidenceRetention;
  /** Under the key of the object. */
  readonly #runs = new Map<string, Kept>();
  /** All of which something is still to be written, those of runs that have ended included. */
  readonly #working = new Map<Kept, Promise<void>>();

  constructor(options: EvidenceKeeperOptions) {
    this.#options = options;
    this.#retention = new EvidenceRetention(options);
  }

  /** Runs of which anything is kept or still to be written. */
  get size(): number {
    return this.#working.size;
  }

  /** A status was stored. Called before the session of a run that has ended is closed; takes no time. */
  note(key: string, demo: ChaosDemo, witness: Witness | undefined, definition: SubjectDefinition): void {
    try {
      this.#note(key, demo, witness, definition);
    } catch (error) {
      const log = childLogger(this.#options.logger, contextOf(demo));
      log.error({ err: error }, 'the evidence of a run is not kept any more');
      this.forget(key);
    }
  }

  #note(key: string, demo: ChaosDemo, witness: Witness | undefined, definition: SubjectDefinition): void {
    const { run } = demo.status ?? {};
    if (!run) return;
    let kept = this.#runs.get(key);
    if (kept && (kept.uid !== demo.metadata.uid || kept.run !== run.number)) {
      this.#end(key, kept);
      kept = undefined;
    }
    if (!kept) {
      if (run.completedAt !== undefined) return;
      kept = this.#begin(key, demo, run.number, definition);
    }
    kept.files.take(demo, witness);
    if (run.completedAt === undefined) this.#wake(kept);
    else this.#end(key, kept);
  }

  /** The object is gone, or going: what belongs to it goes with it. */
  forget(key: string): void {
    for (const kept of this.#working.keys()) {
      if (kept.key === key) kept.stop.abort(new Error('the object is gone'));
    }
    this.#runs.delete(key);
    this.#retention.forget(key);
  }

  /** Writes what is new, if `flush`, and ends; within twice {@link CLOSE_WITHIN_MS}. Never rejects. */
  async close(flush: boolean): Promise<void> {
    const { clock } = this.#options;
    if (flush) for (const kept of this.#runs.values()) this.#flush(kept);
    this.#runs.clear();
    if (this.#working.size === 0) return;
    const all = Promise.all(this.#working.values());
    if (flush) await endsWithin(clock, CLOSE_WITHIN_MS, all);
    for (const { stop } of this.#working.keys()) stop.abort(new Error('this term has ended'));
    await endsWithin(clock, CLOSE_WITHIN_MS, all);
  }

  #flush(kept: Kept): void {
    try {
      this.#last(kept, false);
    } catch (error) {
      kept.stop.abort(error);
    }
  }

  #begin(key: string, demo: ChaosDemo, run: number, definition: SubjectDefinition): Kept {
    const kept: Kept = {
      key,
      uid: demo.metadata.uid,
      run,
      files: new EvidenceFiles(demo, definition),
      due: true,
      written: new Map(),
      first: !demo.status?.scenarios?.some(({ fault }) => fault !== undefined),
      failing: false,
      stop: new AbortController(),
      wake: () => undefined,
    };
    this.#runs.set(key, kept);
    this.#retention.begun(kept);
    const work = this.#work(kept).catch((error: unknown) => {
      this.#log(kept).error({ err: error }, 'the evidence of a run is not kept any more');
    });
    this.#working.set(
      kept,
      work.finally(() => this.#working.delete(kept)),
    );
    return kept;
  }

  /** The run has ended, or another of the object has begun. */
  #end(key: string, kept: Kept): void {
    this.#runs.delete(key);
    this.#last(kept, true);
  }

  /** Takes what was seen now: the session may be closed any moment. */
  #last(kept: Kept, complete: boolean): void {
    kept.last = kept.files.at(this.#options.clock.now(), complete);
    kept.files.leaveWitness();
    this.#wake(kept);
  }

  #wake(kept: Kept): void {
    kept.due = true;
    kept.wake();
  }

  async #work(kept: Kept): Promise<void> {
    const { clock } = this.#options;
    const { signal } = kept.stop;
    while (!signal.aborted && kept.last === undefined) {
      await this.#untilDue(kept);
      // Where the end has come meanwhile, that is what is written.
      if (signal.aborted || kept.last) break;
      kept.due = false;
      if ((await this.#write(kept, kept.files.at(clock.now(), false))) === 'refused') return;
      const early = new AbortController();
      kept.wake = () => kept.last && early.abort();
      if (kept.last === undefined) {
        await clock.sleep(EVERY_MS, AbortSignal.any([signal, early.signal])).catch(() => undefined);
      }
      kept.wake = () => undefined;
    }
    await this.#writeLast(kept);
  }

  /** At rest there is no timer: it waits for a status, or for as long as a fault is watched for nothing. */
  async #untilDue(kept: Kept): Promise<void> {
    const { signal } = kept.stop;
    if (kept.due || kept.last || kept.files.isWatched(this.#options.clock.now())) return;
    await new Promise<void>((resolve) => {
      const end = (): void => {
        signal.removeEventListener('abort', end);
        kept.wake = () => undefined;
        resolve();
      };
      kept.wake = end;
      signal.addEventListener('abort', end, { once: true });
    });
  }

  async #writeLast(kept: Kept): Promise<void> {
    const { clock } = this.#options;
    const { signal } = kept.stop;
    const until = clock.monotonic() + LAST_WITHIN_MS;
    let restMs = EVERY_MS;
    while (kept.last && !signal.aborted) {
      const became = await this.#write(kept, kept.last);
      if (became === 'refused') return;
      if (became === 'written') return await this.#retention.removeOld(kept.files.demo, kept, signal);
      if (clock.monotonic() + restMs > until) {
        return this.#log(kept).warn({ run: kept.run }, 'the end of the evidence of a run was not kept');
      }
      await clock.sleep(restMs, signal).catch(() => undefined);
      restMs = Math.min(2 * restMs, LONGEST_REST_MS);
    }
  }

  /** Writes those files that have changed. */
  async #write(kept: Kept, files: Files): Promise<'written' | 'refused' | 'failed'> {
    const { clock, mayWrite, onRefused, store } = this.#options;
    // As it was when the files were made.
    const over = kept.files.overAt(clock.now());
    const hashes = new Map(Object.entries(files).map(([name, text]) => [name, hashOf(text)]));
    const changed = Object.fromEntries(
      Object.entries(files).filter(([name]) => kept.written.get(name) !== hashes.get(name)),
    );
    if (Object.keys(changed).length === 0) return 'written';
    const stale = kept.first
      ? Object.fromEntries(otherScenarioKeys(files).map((name): [string, null] => [name, null]))
      : {};
    const failed = (): 'failed' => {
      kept.due = true;
      return 'failed';
    };
    // Right before: a process may be frozen between what it decides and what it sends.
    if (!mayWrite()) return failed();
    try {
      const write = await within(
        clock,
        WRITE_WITHIN_MS,
        (signal) => store.keep(kept.files.demo, kept.run, { ...stale, ...changed }, kept.stored, signal),
        kept.stop.signal,
      );
      if (write.state === 'refused' || (write.state === 'taken' && this.#isTakenForLong(kept))) {
        this.#log(kept).warn({ run: kept.run }, `the evidence of the run is not kept: ${write.message}`);
        onRefused(kept.files.demo, write.message);
        return 'refused';
      }
      if (write.state === 'taken') return failed();
      if (write.state === 'gone') {
        // Somebody has deleted it: what is still known is written anew.
        delete kept.stored;
        kept.written.clear();
        kept.files.lost();
        return failed();
      }
      kept.stored = write.stored;
      kept.first = false;
      for (const name of Object.keys(changed)) kept.written.set(name, hashes.get(name) ?? '');
      kept.files.writtenFor(over);
      if (kept.failing) this.#log(kept).info({ run: kept.run }, 'the evidence of the run is kept again');
      kept.failing = false;
      return 'written';
    } catch (error) {
      if (kept.stop.signal.aborted) return 'failed';
      if (!kept.failing) {
        this.#log(kept).warn({ err: error, run: kept.run }, 'the evidence of a run could not be written');
      }
      kept.failing = true;
      return failed();
    }
  }

  #isTakenForLong(kept: Kept): boolean {
    const now = this.#options.clock.monotonic();
    kept.takenSince ??= now;
    return now - kept.takenSince >= TAKEN_WITHIN_MS;
  }

  #log({ files }: Kept): Logger {
    return childLogger(this.#options.logger, contextOf(files.demo));
  }
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('base64');
}

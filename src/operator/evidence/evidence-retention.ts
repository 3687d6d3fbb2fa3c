/** Removes the evidence of runs that their object does not remember any more. */
import type { ChaosDemo } from '../../api/index.ts';
import type { Clock } from '../../demo/clock.ts';
import { childLogger, contextOf, type Logger } from '../log.ts';
import { within } from '../shell/deadline.ts';
import type { EvidenceStore } from '../shell/ports.ts';

/** How long one removal may take, in milliseconds. */
const REMOVE_WITHIN_MS = 5000;
/** Runs that a status may remember, as in `historyLimit`: so far back is looked for evidence that is to go. */
const MOST_HISTORY = 20;

export interface EvidenceRetentionOptions {
  readonly store: Pick<EvidenceStore, 'remove'>;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Whether the term that this works for may still write. */
  readonly mayWrite: () => boolean;
}

/** A run of an object. */
interface RunOf {
  /** Of the object. */
  readonly key: string;
  readonly uid: string;
  readonly run: number;
}

export class EvidenceRetention {
  readonly #options: EvidenceRetentionOptions;
  /** Up to which run nothing is left to remove, under the key of the object. */
  readonly #removed = new Map<string, { readonly uid: string; readonly upTo: number }>();

  constructor(options: EvidenceRetentionOptions) {
    this.#options = options;
  }

  /** A run has begun. */
  begun({ key, run, uid }: RunOf): void {
    const removed = this.#removed.get(key);
    // Counted anew: what is removed by its number is another's now.
    if (removed && (removed.uid !== uid || run <= removed.upTo)) this.#removed.delete(key);
  }

  /** The object is gone. */
  forget(key: string): void {
    this.#removed.delete(key);
  }

  /**
   * The evidence of a run is written: the newest `historyLimit` runs before it keep theirs. Never rejects; what
   * could not be removed is logged, and tried again with the next run.
   */
  async removeOld(demo: ChaosDemo, { key, run, uid }: RunOf, signal: AbortSignal): Promise<void> {
    const { clock, logger, mayWrite, store } = this.#options;
    const newest = run - 1 - demo.spec.historyLimit;
    const removed = this.#removed.get(key);
    // This run was written after a later one had removed it: then that one's successor looks again.
    if (removed?.uid === uid && removed.upTo >= run) return void this.#removed.delete(key);
    const known = removed?.uid === uid ? removed.upTo : 0;
    for (let old = newest; old > Math.max(known, run - 1 - MOST_HISTORY - 2); old -= 1) {
      if (signal.aborted || !mayWrite()) return;
      try {
        await within(clock, REMOVE_WITHIN_MS, (signal) => store.remove(demo, old, signal), signal);
      } catch (error) {
        return childLogger(logger, contextOf(demo)).warn(
          { err: error, run: old },
          'the evidence of an earlier run could not be removed; the next run tries again',
        );
      }
    }
    if (newest > known && !signal.aborted) this.#removed.set(key, { uid, upTo: newest });
  }
}

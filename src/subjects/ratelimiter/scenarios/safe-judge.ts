/**
 * Guards an attempt against errors in the code that judges it: the finding becomes unknown, and nothing else fails. The
 * fault stays reported, and is not repeated.
 */
import { type Measure, messageOf } from '../../../api/index.ts';
import type { InvariantReading } from '../../../demo/observed.ts';
import type { HistoryEvent } from '../history/events.ts';
import type { Judge } from './scenario-type.ts';

export class SafeJudge implements Judge {
  readonly #judge: Judge;
  readonly #onFailure: (error: unknown) => void;
  /** The last reading before the failure: later ones may lack events. */
  #last: InvariantReading | undefined;
  #failure: string | undefined;

  /** @param onFailure gets the first error; the reading is unknown by then */
  constructor(judge: Judge, onFailure: (error: unknown) => void) {
    this.#judge = judge;
    this.#onFailure = onFailure;
  }

  /** Whether the finding is unknown from now on. */
  get failed(): boolean {
    return this.#failure !== undefined;
  }

  /** From now on the finding is unknown. */
  fail(error: unknown): void {
    if (this.#failure !== undefined) return;
    this.#failure = `a checker of the operator failed: ${messageOf(error)}`;
    this.#onFailure(error);
  }

  reading(): InvariantReading | undefined {
    this.#last = this.#guarded(() => this.#judge.reading(), this.#last);
    if (this.#failure === undefined) return this.#last;
    const { shortfalls = [] } = this.#last ?? {};
    // Nothing else is missing: what follows is not judged.
    const watchedUntil = Number.MAX_SAFE_INTEGER;
    return { ...(this.#last ?? UNKNOWN), watchedUntil, shortfalls: [this.#failure, ...shortfalls] };
  }

  changes(event: HistoryEvent): boolean {
    return this.#guarded(() => this.#judge.changes(event), true);
  }

  recovered(): readonly Measure[] {
    return this.#guarded(() => this.#judge.recovered?.() ?? [], []);
  }

  #guarded<T>(read: () => T, otherwise: T): T {
    if (this.#failure !== undefined) return otherwise;
    try {
      return read();
    } catch (error) {
      this.fail(error);
      return otherwise;
    }
  }
}

/** Nothing was judged. */
const UNKNOWN: InvariantReading = {
  measures: [],
  summary: 'unknown',
  watchedUntil: 0,
  shortfalls: [],
  evidence: [],
};

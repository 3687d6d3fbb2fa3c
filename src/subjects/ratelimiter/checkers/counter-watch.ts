/** What the counters of one caller show around one fault: samples go into an invariant until the watch has ended. Pure. */
import type { InvariantReading } from '../../../demo/observed.ts';
import type { SeenInvariant } from '../../../evidence/index.ts';
import { controlMeasure, type Denying, denyingSentence } from '../controls.ts';
import type { CounterSample } from '../history/counter-sample.ts';
import type { CompleteSample, FaultSpan } from './watch-record.ts';

/** What an invariant does with samples; what it says of them grows only. */
export interface Invariant {
  /** Takes a sample in; returns it if it is complete. */
  add(sample: CounterSample, fault: FaultSpan): CompleteSample | undefined;
  reading(fault: FaultSpan): Omit<InvariantReading, 'complete'>;
}

/** An invariant as a formula over signals of evidence, with the names of the two figures that it compares. */
export interface Formula {
  readonly text: string;
  readonly measured: string;
  readonly bound: string;
}

export class CounterWatch {
  readonly #invariant: Invariant;
  readonly #settleMs: number;
  readonly #denying: Denying | undefined;
  #span: FaultSpan = { until: Number.POSITIVE_INFINITY };
  #watchedUntil = 0;

  /**
   * @param settleMs how long it goes on after the end of the fault
   * @param denying the control without a fault; undefined: this process made none
   */
  constructor(invariant: Invariant, settleMs: number, denying: Denying | undefined) {
    this.#invariant = invariant;
    this.#settleMs = settleMs;
    this.#denying = denying;
  }

  /** When the fault was active, as far as it is known. */
  set times(times: Omit<FaultSpan, 'watchTo'>) {
    const { endedAt } = times;
    this.#span = { ...times, ...(endedAt !== undefined && { watchTo: endedAt + this.#settleMs }) };
  }

  /** Whether it has been watched to the end of the fault and the time to settle. */
  get isComplete(): boolean {
    return this.#watchedUntil >= (this.#span.watchTo ?? Number.POSITIVE_INFINITY);
  }

  /** Takes a sample in; what comes after the end of the watch is another story, and proves nothing. */
  take(sample: CounterSample): void {
    if (this.isComplete) return;
    const complete = this.#invariant.add(sample, this.#span);
    if (complete || sample.idle) this.#watchedUntil = sample.endedAt;
  }

  reading(): InvariantReading {
    const { measures, evidence, shortfalls, ...rest } = this.#invariant.reading(this.#span);
    const control = this.#denying;
    return {
      ...rest,
      measures: [...measures, ...(control ? [controlMeasure(control)] : [])],
      evidence: [...evidence, ...(control ? [denyingSentence(control)] : [])],
      // A limiter that denies everything breaks nothing either.
      shortfalls: control
        ? shortfalls
        : [...shortfalls, 'no control was made without a fault in this session'],
      complete: this.isComplete,
    };
  }
}

/** The state of an invariant, by the measure that decides. Its bound is a value, too, if it has one. */
export function seenInvariant(
  { bound, measured, text }: Formula,
  { brokenAt, measures: [judged] }: InvariantReading,
): SeenInvariant {
  return {
    formula: text,
    broken: brokenAt !== undefined,
    ...(brokenAt !== undefined && { brokenAt }),
    values: [
      ...(judged ? [{ name: measured, value: judged.value }] : []),
      ...(judged?.bound === undefined ? [] : [{ name: bound, value: judged.bound }]),
    ],
  };
}

/**
 * The watch over one fault: samples of its window go into the invariant and the
 * evidence, and every sample or report gives a new reading.
 */
import type { FaultReport, InvariantReading } from '../../../demo/observed.ts';
import type { FaultEvidence } from '../../../demo/subject.ts';
import type { SeenInvariant } from '../../../evidence/index.ts';
import { controlMeasure, denyingSentence } from '../controls.ts';
import type { CounterSample } from '../interfaces/counter-sample.ts';
import { Turn, watchCounters } from '../interfaces/counter-watch.ts';
import type { CountSource } from '../interfaces/counts.ts';
import type { Toolkit } from './fault.ts';
import { Timeline } from './timeline.ts';
import type { CompleteSample, FaultSpan } from './watch-record.ts';

/** What an invariant does with samples; what it says of them grows only. */
export interface Invariant {
  /** Takes a sample in; returns it if it is complete. */
  add(sample: CounterSample, fault: FaultSpan): CompleteSample | undefined;
  /** Whether another look would decide something: then the next sample does not wait for its turn. */
  readonly urgent: boolean;
  reading(fault: FaultSpan): Omit<InvariantReading, 'complete'>;
  /** The invariant as a formula over signals of evidence, with the names of the two figures that it compares. */
  readonly formula: { readonly text: string; readonly measured: string; readonly bound: string };
}

export interface FaultWatchParts {
  readonly invariant: Invariant;
  /** Requests that the limit allows. */
  readonly limit: number;
  readonly settleMs: number;
  readonly toolkit: Toolkit;
  /** Of its steady traffic, where it has some. */
  readonly requestsPerSecond?: number;
  /** Takes a sample. */
  readonly look: (signal: AbortSignal) => Promise<CounterSample>;
  /** Whose counts the evidence has. */
  readonly source: CountSource;
  /** Time between two samples; milliseconds. Default: {@link SAMPLE_EVERY_MS}. */
  readonly sampleEveryMs?: number;
}

export class FaultWatch {
  readonly timeline: Timeline;
  readonly #parts: FaultWatchParts;
  #span: FaultSpan = { until: Number.POSITIVE_INFINITY };
  readonly #turn = new Turn();
  #watchedUntil = 0;
  #tell: ((reading: InvariantReading) => void) | undefined;

  constructor(parts: FaultWatchParts) {
    const { limit, requestsPerSecond, source, toolkit } = parts;
    const { baseline: measured, now, target } = toolkit;
    this.#parts = parts;
    this.timeline = new Timeline(target, now());
    this.timeline.limit(now(), limit);
    const baseline = measured();
    if (baseline) {
      this.timeline.usualWrites(now(), [baseline.writeP50Ms, baseline.writeMaxMs]);
      const lag = baseline.lags.get(requestsPerSecond ?? 0)?.lag;
      if (lag !== undefined && source !== 'Told') this.timeline.lag(now(), lag);
    }
  }

  /** The planned end of the fault; infinite before it is injected. */
  get until(): number {
    return this.#span.until;
  }

  /** The fault is being injected, and ends at `until` at the latest. */
  planned(until: number): void {
    this.#span = { ...this.#span, until };
  }

  /** The fault was seen to start, or to end. */
  reported({ startedAt, endedAt }: FaultReport): void {
    this.#span = {
      ...this.#span,
      ...(startedAt !== undefined && { startedAt }),
      ...(endedAt !== undefined && { endedAt, watchTo: endedAt + this.#parts.settleMs }),
    };
    this.changed();
  }

  /** What felt the fault has gone, so that from `at` on it may be over. */
  doubted(at: number): void {
    this.#span = { ...this.#span, doubtfulFrom: Math.min(at, this.#span.doubtfulFrom ?? at) };
  }

  /** The invariant has heard something besides samples: tells of it, and looks at once where that decides. */
  changed(): void {
    this.#tell?.(this.reading());
    if (this.#parts.invariant.urgent) this.lookNow();
  }

  /** Takes the next sample at once. */
  lookNow(): void {
    this.#turn.now();
  }

  /** Samples until `signal` aborts. */
  async run(tell: (reading: InvariantReading) => void, signal: AbortSignal): Promise<void> {
    const { look, sampleEveryMs } = this.#parts;
    this.#tell = tell;
    try {
      const take = (sample: CounterSample): void => this.#take(sample);
      await watchCounters(look, take, signal, {
        turn: this.#turn,
        ...(sampleEveryMs !== undefined && { everyMs: sampleEveryMs }),
      });
    } finally {
      this.#tell = undefined;
    }
  }

  /** Where the invariant stands. */
  reading(): InvariantReading {
    const { measures, evidence, shortfalls, ...rest } = this.#parts.invariant.reading(this.#span);
    const control = this.#parts.toolkit.baseline()?.denying;
    return {
      ...rest,
      measures: [...measures, ...(control ? [controlMeasure(control)] : [])],
      evidence: [...evidence, ...(control ? [denyingSentence(control)] : [])],
      // A limiter that denies everything breaks nothing either.
      shortfalls: control
        ? shortfalls
        : [...shortfalls, 'no control was made without a fault in this session'],
      complete: this.#isComplete,
    };
  }

  /** What was seen, with times relative to the start of the fault, or before that to the beginning of the watch. */
  evidence(): Omit<FaultEvidence, 'bands'> {
    const { endedAt, startedAt: originMs = this.timeline.startedAt } = this.#span;
    return {
      originMs,
      ...(endedAt !== undefined && { endedAt }),
      pods: this.timeline.pods,
      bundle: this.timeline.bundle(originMs, seenInvariant(this.#parts.invariant.formula, this.reading())),
    };
  }

  get #isComplete(): boolean {
    return this.#watchedUntil >= (this.#span.watchTo ?? Number.POSITIVE_INFINITY);
  }

  #take(sample: CounterSample): void {
    // What comes after the end of the watch is another story: nobody waits for it, and it proves nothing.
    if (this.#isComplete) return;
    const { invariant, source } = this.#parts;
    if (source === 'Told') this.timeline.told(sample);
    else if (source === 'Sender') this.timeline.stored(sample);
    else this.timeline.sample(sample);
    const complete = invariant.add(sample, this.#span);
    if (complete || sample.idle) this.#watchedUntil = sample.endedAt;
    this.changed();
  }
}

/** Where an invariant stands, by the measure that decides. Its bound is a value, too, where it has one. */
export function seenInvariant(
  { bound, measured, text }: Invariant['formula'],
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

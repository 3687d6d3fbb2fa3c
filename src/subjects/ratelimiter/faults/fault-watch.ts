/**
 * The watch over one fault: samples of its window go into the invariant and the
 * timeline for its diagnosis, and every sample or report gives a new reading.
 */
import type { FaultReport, InvariantReading } from '../../../demo/observed.ts';
import type { DiagnosisRequest } from '../../../diagnosis/index.ts';
import type { CounterSample } from '../interfaces/reference/counter-sample.ts';
import { watchCounters } from '../interfaces/reference/counter-watch.ts';
import type { LimitWindow } from '../interfaces/reference/setup-limit.ts';
import type { Toolkit } from './fault.ts';
import { Timeline } from './timeline.ts';
import type { CompleteSample, FaultSpan } from './watch-record.ts';

/** What an invariant does with samples; what it says of them grows only. */
export interface Invariant {
  /** Takes a sample in; returns it if it is complete. */
  add(sample: CounterSample): CompleteSample | undefined;
  reading(fault: FaultSpan): Omit<InvariantReading, 'complete'>;
}

export interface FaultWatchParts {
  readonly scenario: string;
  readonly invariant: Invariant;
  readonly window: LimitWindow;
  readonly settleMs: number;
  readonly toolkit: Toolkit;
  /** Called for each complete sample. */
  readonly noted?: (sample: CompleteSample, timeline: Timeline) => void;
}

export class FaultWatch {
  readonly timeline: Timeline;
  readonly #parts: FaultWatchParts;
  #span: FaultSpan = { until: Number.POSITIVE_INFINITY };
  #watchedUntil = 0;
  #tell: ((reading: InvariantReading) => void) | undefined;

  constructor(parts: FaultWatchParts) {
    const { toolkit, window } = parts;
    const { baseline: measured, now, target } = toolkit;
    this.#parts = parts;
    this.timeline = new Timeline(target);
    this.timeline.limit(now(), window.limit);
    const baseline = measured();
    if (baseline) {
      this.timeline.writeAccepted(now(), baseline.writeMaxMs, ', the slowest without a fault');
      this.timeline.lag(now(), baseline.lag);
    }
  }

  get window(): LimitWindow {
    return this.#parts.window;
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
    this.#tell?.(this.reading());
  }

  /** Samples until `signal` aborts. */
  async run(tell: (reading: InvariantReading) => void, signal: AbortSignal): Promise<void> {
    const { toolkit, window } = this.#parts;
    const { now, observers, redis } = toolkit;
    this.#tell = tell;
    try {
      await watchCounters(observers, redis, window, now, (sample) => this.#take(sample), signal);
    } finally {
      this.#tell = undefined;
    }
  }

  /** Where the invariant stands. */
  reading(): InvariantReading {
    const reading = this.#parts.invariant.reading(this.#span);
    return { ...reading, complete: this.#isComplete };
  }

  /** What a diagnosis may know, with times relative to the start of the fault. */
  request(): DiagnosisRequest {
    const { scenario, toolkit } = this.#parts;
    return {
      scenario,
      components: this.timeline.components,
      observations: this.timeline.observations(this.#span.startedAt ?? toolkit.now()),
    };
  }

  get #isComplete(): boolean {
    return this.#watchedUntil >= (this.#span.watchTo ?? Number.POSITIVE_INFINITY);
  }

  #take(sample: CounterSample): void {
    const { invariant, noted } = this.#parts;
    // What comes after the end of the watch is another story: nobody waits for it, and it proves nothing.
    if (this.#isComplete) return;
    const complete = invariant.add(sample);
    if (complete) {
      this.#watchedUntil = complete.endedAt;
      this.timeline.sample(complete);
      noted?.(complete, this.timeline);
    }
    this.#tell?.(this.reading());
  }
}

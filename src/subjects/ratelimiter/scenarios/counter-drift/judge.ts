/** Judges the history of counter drift. Pure. */
import { type Measure, parseDuration } from '../../../../api/index.ts';
import type { InvariantReading } from '../../../../demo/observed.ts';
import type { SeenInvariant } from '../../../../evidence/index.ts';
import { DriftInvariant, underCounted } from '../../checkers/drift.ts';
import { seenInvariant } from '../../checkers/finding.ts';
import type { FaultSpan } from '../../checkers/watch-record.ts';
import { controlMeasure, controlSentence } from '../../controls.ts';
import { sampleOf } from '../../history/counts.ts';
import type { EventOf, HistoryEvent } from '../../history/events.ts';
import type { History } from '../../history/history.ts';
import { droppedShortfall, sumOf } from '../../words.ts';
import type { Judge } from '../scenario-type.ts';
import { parametersOf, sourceOf, toleranceOf } from './parameters.ts';

export class DriftJudge implements Judge {
  readonly #history: History;
  readonly #invariant: DriftInvariant;
  /** How long samples count after the end of the fault; milliseconds. */
  readonly #settleMs: number;
  #watchedUntil = 0;
  /** Whether the last event alone violated the invariant. */
  #isDecisive = false;

  constructor(history: History) {
    const { baseline, limiter, pods, scenario, storeDoubt } = history.setup;
    this.#history = history;
    this.#settleMs = parseDuration(parametersOf(scenario).settle);
    this.#invariant = new DriftInvariant({
      pods,
      limit: limiter.limit.requests,
      tolerance: toleranceOf(scenario, limiter),
      lag: baseline?.lag,
      source: sourceOf(limiter),
      storeDoubt,
    });
    history.listen((event) => this.#take(event));
  }

  reading(): InvariantReading {
    const { dropped, setup } = this.#history;
    const { measures, evidence, shortfalls, ...rest } = this.#invariant.reading(this.#span);
    const control = setup.baseline?.denying;
    return {
      ...rest,
      measures: [...measures, ...(control ? [controlMeasure(control)] : [])],
      evidence: [...evidence, ...(control ? [controlSentence(control)] : [])],
      shortfalls: [
        ...shortfalls,
        // A limiter that rejects everything violates nothing either.
        ...(control ? [] : ['no control was made without a fault in this session']),
        ...(dropped > 0 ? [droppedShortfall(dropped)] : []),
      ],
      complete: this.isComplete,
    };
  }

  /** When the fault was active and watched, as far as known. */
  get #span(): FaultSpan {
    const { times } = this.#history;
    const { endedAt } = times;
    return { ...times, ...(endedAt !== undefined && { watchTo: endedAt + this.#settleMs }) };
  }

  /** The counts that the store lacked in the end, if they were read. */
  recovered(): readonly Measure[] {
    const rest = this.#history.last('rest');
    if (!rest) return [];
    const isExact = sourceOf(this.#history.setup.limiter) === 'Nodes';
    return [underCounted(sumOf(this.admitted.values()), rest.stored, isExact)];
  }

  get seen(): SeenInvariant {
    return seenInvariant(this.#invariant.formula, this.reading());
  }

  /** Whether it was watched to the end of the fault and the time to settle. */
  get isComplete(): boolean {
    return this.#watchedUntil >= (this.#span.watchTo ?? Number.POSITIVE_INFINITY);
  }

  /** A request rarely changes the reading. */
  changes(): boolean {
    return this.#isDecisive;
  }

  /** See {@link DriftInvariant.urgent}. */
  get isUrgent(): boolean {
    return this.#invariant.urgent;
  }

  /** Whether the counters were ever further apart than without a fault. */
  get hasDrifted(): boolean {
    return this.#invariant.drifted;
  }

  /** See {@link DriftInvariant.admitted}. */
  get admitted(): ReadonlyMap<string, number> {
    return this.#invariant.admitted;
  }

  /** Admissions of the sender so far, by pod. */
  get admittedBySender(): ReadonlyMap<string, number> {
    return new Map([...this.#invariant.traffic].map(([pod, { admitted }]) => [pod, admitted]));
  }

  #take(event: HistoryEvent): void {
    this.#isDecisive = event.kind === 'fault' || event.kind === 'count';
    if (event.kind === 'left-out') this.#invariant.leftOut(event.requests);
    else if (event.kind === 'request') this.#invariant.request(event);
    else if (event.kind === 'count') this.#takeSample(event);
  }

  #takeSample(event: EventOf<'count'>): void {
    this.#invariant.inFlight(event.inFlight, event.endedAt);
    if (this.isComplete) return;
    const sample = sampleOf(event);
    const complete = this.#invariant.add(sample, this.#span);
    if (complete) this.#watchedUntil = sample.endedAt;
  }
}

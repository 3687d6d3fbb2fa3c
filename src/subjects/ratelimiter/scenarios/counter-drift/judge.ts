/** Judges the history of counter drift. Pure. */
import { type Measure, parseDuration } from '../../../../api/index.ts';
import type { InvariantReading } from '../../../../demo/observed.ts';
import type { SeenInvariant } from '../../../../evidence/index.ts';
import { CounterWatch, seenInvariant } from '../../checkers/counter-watch.ts';
import { DriftInvariant, underCounted } from '../../checkers/drift.ts';
import { sampleOf } from '../../history/counts.ts';
import type { HistoryEvent } from '../../history/events.ts';
import type { History } from '../../history/history.ts';
import { droppedShortfall, sumOf } from '../../words.ts';
import type { Judge } from '../scenario-type.ts';
import { parametersOf, sourceOf, toleranceOf } from './parameters.ts';

export class DriftJudge implements Judge {
  readonly #history: History;
  readonly #invariant: DriftInvariant;
  readonly #watch: CounterWatch;
  /** Whether the last event broke the invariant by itself. */
  #isDecisive = false;

  constructor(history: History) {
    const { setup } = history;
    const { baseline, limiter, pods, scenario, storeDoubt } = setup;
    const { settle } = parametersOf(scenario);
    this.#history = history;
    this.#invariant = new DriftInvariant({
      nodes: pods,
      limit: limiter.limit.requests,
      tolerance: toleranceOf(scenario, limiter),
      lag: baseline?.lag,
      source: sourceOf(limiter),
      storeDoubt,
    });
    this.#watch = new CounterWatch(this.#invariant, parseDuration(settle), baseline?.denying);
    history.listen((event) => this.#take(event));
  }

  reading(): InvariantReading {
    const reading = this.#watch.reading();
    const { dropped } = this.#history;
    if (dropped === 0) return reading;
    return { ...reading, shortfalls: [...reading.shortfalls, droppedShortfall(dropped)] };
  }

  /** What the store lacked of the counts in the end, if that was seen. */
  recovered(): readonly Measure[] {
    const rest = this.#history.last('rest');
    if (!rest) return [];
    const isExact = sourceOf(this.#history.setup.limiter) === 'Nodes';
    return [underCounted(sumOf(this.admitted.values()), rest.stored, isExact)];
  }

  get seen(): SeenInvariant {
    return seenInvariant(this.#invariant.formula, this.reading());
  }

  get isComplete(): boolean {
    return this.#watch.isComplete;
  }

  /** A request rarely changes the reading by itself. */
  changes(): boolean {
    return this.#isDecisive;
  }

  /** See {@link DriftInvariant.urgent}. */
  get isUrgent(): boolean {
    return this.#invariant.urgent;
  }

  /** Whether the counters were ever further apart than they are without a fault. */
  get hasDrifted(): boolean {
    return this.#invariant.drifted;
  }

  /** See {@link DriftInvariant.admitted}. */
  get admitted(): ReadonlyMap<string, number> {
    return this.#invariant.admitted;
  }

  /** Requests that the sender was admitted so far, by pod. */
  get admittedBySender(): ReadonlyMap<string, number> {
    return new Map([...this.#invariant.traffic].map(([pod, { admitted }]) => [pod, admitted]));
  }

  #take(event: HistoryEvent): void {
    this.#isDecisive = event.kind === 'fault' || event.kind === 'count';
    if (event.kind === 'fault') this.#watch.times = this.#history.times;
    else if (event.kind === 'left-out') this.#invariant.leftOut(event.requests);
    else if (event.kind === 'request') this.#invariant.request(event);
    else if (event.kind === 'count') {
      this.#invariant.inFlight(event.inFlight, event.endedAt);
      this.#watch.take(sampleOf(event));
    }
  }
}

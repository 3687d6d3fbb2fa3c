/** Judges the history of bursts: by what the sender was admitted, and by the counters of the pods if they report any. Pure. */
import { parseDuration } from '../../../../api/index.ts';
import type { FaultReport, InvariantReading } from '../../../../demo/observed.ts';
import type { SeenInvariant } from '../../../../evidence/index.ts';
import { reportOfBurst } from '../../checkers/burst-report.ts';
import { burstResultOf } from '../../checkers/burst-result.ts';
import { readingOf, reportOf, shownTrial, type Trial, trialKeys } from '../../checkers/burst-trials.ts';
import { GHOST_FORMULA, GhostInvariant } from '../../checkers/counted-burst.ts';
import { CounterWatch, seenInvariant } from '../../checkers/counter-watch.ts';
import { type BurstSettings, burstReading } from '../../checkers/sent-burst.ts';
import { sampleOf } from '../../history/counts.ts';
import type { CallerRequest, EventOf, HistoryEvent } from '../../history/events.ts';
import type { History } from '../../history/history.ts';
import { limitOf } from '../../interfaces/http/limit-of-spec.ts';
import { isReference } from '../../interfaces/reference/preset.ts';
import { admittedAtOnce } from '../../limits/rate-limit.ts';
import { droppedShortfall } from '../../words.ts';
import { isOfOneCaller } from '../rests.ts';
import type { Judge } from '../scenario-type.ts';
import { parametersOf } from './parameters.ts';

/** The counters of one caller. */
interface Counters {
  readonly watch: CounterWatch;
  readonly invariant: GhostInvariant;
}

/** A trial as it was made; its reading goes on if its counters are watched. */
type Made = Omit<Trial, 'reading'> & { readonly key: string; readonly bySender: InvariantReading };

export class GhostJudge implements Judge {
  readonly #history: History;
  readonly #settings: BurstSettings;
  /** Of each trial. */
  readonly keys: readonly string[];
  /** By key; empty if nobody but the sender reports what was admitted. */
  readonly #counters: ReadonlyMap<string, Counters>;
  readonly #made: Made[] = [];
  /** Requests of the burst that is being recorded. */
  #requests: CallerRequest[] = [];

  constructor(history: History) {
    const { clockWithinMs, baseline, fixture, limiter, pods, scenario } = history.setup;
    const { settle, trials } = parametersOf(scenario);
    const limit = limitOf(limiter);
    this.#history = history;
    this.keys = trialKeys(fixture, trials);
    this.#settings = { limit, nodes: pods, clockWithinMs, oneCaller: isOfOneCaller(limiter) };
    const countersOf = (): Counters => {
      const invariant = new GhostInvariant({ nodes: pods, limit: admittedAtOnce(limit) });
      return { invariant, watch: new CounterWatch(invariant, parseDuration(settle), baseline?.denying) };
    };
    this.#counters = new Map(isReference(limiter) ? this.keys.map((key) => [key, countersOf()]) : []);
    history.listen((event) => this.#take(event));
  }

  /** Undefined before the first burst if only the sender counts. */
  reading(): InvariantReading | undefined {
    const trials = this.trials;
    const [first = ''] = this.keys;
    const pending = this.#counters.get(first)?.watch.reading();
    if (trials.length === 0 && !pending) return undefined;
    const stopped = this.#history.last('stopped')?.why;
    const all = readingOf(trials, this.keys.length, pending ?? trials[0]?.reading, stopped);
    const { dropped } = this.#history;
    const missing = dropped > 0 ? [droppedShortfall(dropped)] : [];
    const reading = { ...all, shortfalls: [...all.shortfalls, ...missing] };
    if (pending) return reading;
    // Nothing is sampled: what the sender counted is all there is, and it does not change any more.
    return { ...reading, watchedUntil: Number.MAX_SAFE_INTEGER, complete: true };
  }

  /** Each burst changes it, but trials are reported at once, when all were sent; then counters go on. */
  changes({ kind }: HistoryEvent): boolean {
    return kind === 'count' || (kind === 'fault' && this.#made.length > 0);
  }

  /** The report of all bursts as one fault. @throws RangeError if none was sent */
  get report(): FaultReport {
    return reportOf(this.trials, this.#settings.nodes.length);
  }

  get trials(): readonly Trial[] {
    return this.#made.map(({ bySender, burst, key, report }) => {
      return { burst, report, reading: this.#counters.get(key)?.watch.reading() ?? bySender };
    });
  }

  /** The trial whose figures are shown. */
  get shown(): { readonly index: number; readonly trial: Trial | undefined } {
    const trials = this.trials;
    const index = shownTrial(trials);
    return { index, trial: trials[index] };
  }

  get seen(): SeenInvariant | undefined {
    const { index, trial } = this.shown;
    const reading = trial?.reading ?? this.#counters.get(this.keys[index] ?? '')?.watch.reading();
    return reading && seenInvariant(GHOST_FORMULA, reading);
  }

  /** Whether the counters of a caller have been watched to the end. */
  isComplete(key: string): boolean {
    return this.#counters.get(key)?.watch.isComplete ?? true;
  }

  #take(event: HistoryEvent): void {
    if (event.kind === 'request') this.#requests.push(event);
    else if (event.kind === 'burst') this.#takeBurst(event);
    else if (event.kind === 'count') this.#counters.get(event.key)?.watch.take(sampleOf(event));
    else if (event.kind === 'fault' && event.step === 'Planned') {
      for (const { watch } of this.#counters.values()) watch.times = this.#history.times;
    }
  }

  #takeBurst(event: EventOf<'burst'>): void {
    const { key } = event;
    const burst = burstResultOf(event, this.#requests);
    this.#requests = [];
    const report = reportOfBurst(burst, this.#settings.nodes.length);
    this.#made.push({ key, burst, report, bySender: burstReading(this.#settings, burst, event.at) });
    const counters = this.#counters.get(key);
    if (!counters) return;
    // The last answer is there: whether the pods agree shows now, and not when their turn comes.
    counters.invariant.setBurst(burst, event.at);
    const { endedAt, startedAt } = burst;
    counters.watch.times = { until: this.#history.times.until, startedAt, endedAt };
  }
}

/** Judges the history of bursts by the admissions of the sender. Pure. */
import type { FaultReport, InvariantReading } from '../../../../demo/observed.ts';
import type { SeenInvariant } from '../../../../evidence/index.ts';
import { burstResultOf } from '../../checkers/burst-result.ts';
import { readingOf, reportOf, shownTrial, type Trial, trialKeys } from '../../checkers/burst-trials.ts';
import { seenInvariant } from '../../checkers/finding.ts';
import { BURST_FORMULA, type BurstSettings, burstReading, reportOfBurst } from '../../checkers/sent-burst.ts';
import type { CallerRequest, EventOf, HistoryEvent } from '../../history/events.ts';
import type { History } from '../../history/history.ts';
import { limitOf } from '../../interfaces/http/limit-of-spec.ts';
import { droppedShortfall } from '../../words.ts';
import { isOfOneCaller } from '../cooldowns.ts';
import type { Judge } from '../scenario-type.ts';
import { parametersOf } from './parameters.ts';

export class GhostJudge implements Judge {
  readonly #history: History;
  readonly #settings: BurstSettings;
  /** One for each trial. */
  readonly keys: readonly string[];
  readonly #trials: Trial[] = [];
  /** Requests of the burst that is being recorded. */
  #requests: CallerRequest[] = [];

  constructor(history: History) {
    const { clockWithinMs, fixture, limiter, pods, scenario } = history.setup;
    this.#history = history;
    this.keys = trialKeys(fixture, parametersOf(scenario).trials);
    const limit = limitOf(limiter);
    this.#settings = { limit, pods, clockWithinMs, oneCaller: isOfOneCaller(limiter) };
    history.listen((event) => this.#take(event));
  }

  /** Undefined before the first burst. Final once all were sent. */
  reading(): InvariantReading | undefined {
    if (this.#trials.length === 0) return undefined;
    const stopped = this.#history.last('stopped')?.why;
    const all = readingOf(this.#trials, this.keys.length, stopped);
    const { dropped } = this.#history;
    const missing = dropped > 0 ? [droppedShortfall(dropped)] : [];
    return { ...all, shortfalls: [...all.shortfalls, ...missing] };
  }

  /** Each burst changes it, but trials are reported together, when all were sent. */
  changes({ kind }: HistoryEvent): boolean {
    return kind === 'fault' && this.#trials.length > 0;
  }

  /** The report of all bursts as one fault. @throws RangeError if none was sent */
  get report(): FaultReport {
    return reportOf(this.#trials, this.#settings.pods.length);
  }

  get trials(): readonly Trial[] {
    return this.#trials;
  }

  /** The trial whose figures are shown. */
  get shown(): { readonly index: number; readonly trial: Trial | undefined } {
    const index = shownTrial(this.#trials);
    return { index, trial: this.#trials[index] };
  }

  get seen(): SeenInvariant | undefined {
    const { trial } = this.shown;
    return trial && seenInvariant(BURST_FORMULA, trial.reading);
  }

  #take(event: HistoryEvent): void {
    if (event.kind === 'request') this.#requests.push(event);
    else if (event.kind === 'burst') this.#takeBurst(event);
  }

  #takeBurst(event: EventOf<'burst'>): void {
    const burst = burstResultOf(event, this.#requests);
    this.#requests = [];
    const report = reportOfBurst(burst, this.#settings.pods.length);
    this.#trials.push({ burst, report, reading: burstReading(this.#settings, burst, event.at) });
  }
}

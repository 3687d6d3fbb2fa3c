/** Records observations as they are made, within bounds, and builds a bundle at any time. */
import { truncate } from '../api/index.ts';
import {
  EVIDENCE_LIMITS,
  EVIDENCE_VERSION,
  type EvidenceBundle,
  type EvidenceComponent,
  SIGNALS,
  type Signal,
} from './bundle.ts';
import { keptOf, MIN_POINTS, thinned } from './thin.ts';

/** A series with twice this many points is thinned out to this many. */
const MAX_POINTS = 160;
/** An id has four digits; events beyond that are left out. */
const MAX_IDS = 9999;

/** The state of the invariant; times as those of the recorder. */
export interface SeenInvariant {
  readonly formula: string;
  readonly broken: boolean;
  readonly brokenAt?: number;
  readonly values: readonly { readonly name: string; readonly value: number }[];
}

interface SeriesLog {
  readonly component: string;
  readonly signal: Signal;
  /** Sorted by time; a constant value is kept as its first and last observation. */
  times: number[];
  values: number[];
}

interface RecordedEvent {
  /** Never changes: a claim may cite it. */
  readonly id: string;
  readonly at: number;
  readonly component: string;
  readonly text: string;
}

/** All times are milliseconds by one clock; the bundle has them relative to an origin. */
export class EvidenceRecorder {
  readonly #components: readonly EvidenceComponent[];
  readonly #relations: EvidenceBundle['relations'];
  readonly #series = new Map<string, SeriesLog>();
  readonly #events: RecordedEvent[] = [];
  #eventCount = 0;
  readonly #pointsEach: number;

  /** @param seriesEach how many series a component will have, about: the fewer, the more points each may keep */
  constructor(
    components: readonly EvidenceComponent[],
    relations: EvidenceBundle['relations'],
    seriesEach: number,
  ) {
    this.#components = components;
    this.#relations = relations;
    // With twice as many in each series the bundle is within its bound, and need not be thinned out itself.
    const share = Math.floor(EVIDENCE_LIMITS.points / (2 * Math.max(1, components.length * seriesEach)));
    this.#pointsEach = Math.min(MAX_POINTS, Math.max(MIN_POINTS, share));
  }

  /** Adds a value; past ones are sorted in. Ignores unknown components. */
  add(at: number, component: string, signal: Signal, value: number): void {
    const log = Number.isFinite(value) ? this.#logOf(at, component, signal) : undefined;
    if (!log) return;
    insert(log, at, value);
    this.#bound(log);
  }

  /** Adds `more` to a cumulative series; a late report also raises all later points. */
  count(at: number, component: string, signal: Signal, more = 1): void {
    const log = this.#logOf(at, component, signal);
    if (!log) return;
    const { times, values } = log;
    const before = times.findLastIndex((known) => known <= at);
    times.splice(before + 1, 0, at);
    values.splice(before + 1, 0, values[before] ?? 0);
    for (let i = before + 1; i < values.length; i += 1) values[i] = (values[i] ?? 0) + more;
    this.#bound(log);
  }

  #logOf(at: number, component: string, signal: Signal): SeriesLog | undefined {
    if (!Number.isFinite(at) || !this.#components.some(({ name }) => name === component)) return undefined;
    const key = `${component} ${signal}`;
    const known = this.#series.get(key);
    if (known || this.#series.size >= EVIDENCE_LIMITS.series) return known;
    const log = { component, signal, times: [], values: [] };
    this.#series.set(key, log);
    return log;
  }

  /** Thins at twice the limit: then that costs little per point. */
  #bound(log: SeriesLog): void {
    if (log.times.length <= 2 * this.#pointsEach) return;
    const kept = keptOf(log, this.#pointsEach);
    log.times = kept.map((i) => log.times[i] ?? 0);
    log.values = kept.map((i) => log.values[i] ?? 0);
  }

  /** If there are too many events, the first and the last half of them stay. */
  event(at: number, component: string, text: string): void {
    if (this.#eventCount >= MAX_IDS) return;
    this.#eventCount += 1;
    const id = `e${this.#eventCount}`;
    this.#events.push({ id, at, component, text: truncate(text, EVIDENCE_LIMITS.text) });
    if (this.#events.length > EVIDENCE_LIMITS.events) this.#events.splice(EVIDENCE_LIMITS.events / 2, 1);
  }

  /** Everything so far, with times relative to `origin`. */
  bundle(origin: number, invariant?: SeenInvariant): EvidenceBundle {
    const moment = (at: number): number => Math.round(at - origin);
    const bundle: EvidenceBundle = {
      version: EVIDENCE_VERSION,
      components: [...this.#components],
      relations: [...this.#relations],
      series: [...this.#series.values()].map(({ component, signal, times, values }, i) => ({
        id: `s${i + 1}`,
        component,
        signal,
        unit: SIGNALS[signal].unit,
        points: times.map((at, place): [number, number] => [
          // Fractions of a millisecond distinguish simultaneous requests.
          signal === 'arrivals' ? rounded(at - origin, 100) : moment(at),
          rounded(values[place] ?? 0, SIGNALS[signal].unit === 'ms' ? 10 : 1),
        ]),
      })),
      events: this.#events
        .toSorted((a, b) => a.at - b.at)
        .map(({ at, component, id, text }) => ({ id, atMs: moment(at), component, text })),
      ...(invariant && {
        invariant: {
          formula: truncate(invariant.formula, EVIDENCE_LIMITS.text),
          broken: invariant.broken,
          ...(invariant.brokenAt !== undefined && { brokenAtMs: moment(invariant.brokenAt) }),
          values: invariant.values
            .slice(0, EVIDENCE_LIMITS.values)
            .map(({ name, value }, i) => ({ id: `v${i + 1}`, name, value })),
        },
      }),
    };
    return thinned(bundle, EVIDENCE_LIMITS.points);
  }
}

/** Sorts a point in; of a constant value only the first and last observation are kept. */
function insert({ times, values }: SeriesLog, at: number, value: number): void {
  const last = times.at(-1);
  if (last !== undefined && last > at) {
    const place = times.findLastIndex((before) => before <= at) + 1;
    times.splice(place, 0, at);
    values.splice(place, 0, value);
    return;
  }
  if (values.at(-1) === value && values.at(-2) === value) {
    times.pop();
    values.pop();
  }
  times.push(at);
  values.push(value);
}

function rounded(value: number, parts: number): number {
  return Math.round(value * parts) / parts;
}

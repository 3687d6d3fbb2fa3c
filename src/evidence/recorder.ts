/** Keeps what is seen while it is seen, within bounds, and makes a bundle of it at any moment. */
import { truncate } from '../api/index.ts';
import {
  EVIDENCE_LIMITS,
  EVIDENCE_VERSION,
  type EvidenceBundle,
  type EvidenceComponent,
  SIGNALS,
  type Signal,
} from './bundle.ts';
import { LEAST_POINTS, type Point, thin, thinned } from './thin.ts';

/** No series keeps more points than this, however few there are. */
const MOST_POINTS = 256;

/** Where the invariant stands; times as those of the recorder. */
export interface SeenInvariant {
  readonly formula: string;
  readonly broken: boolean;
  readonly brokenAt?: number;
  readonly values: readonly { readonly name: string; readonly value: number }[];
}

interface SeriesLog {
  readonly component: string;
  readonly signal: Signal;
  /** In order of time; a value that stays is its first and its last sight. */
  points: Point[];
}

interface SeenEvent {
  readonly at: number;
  readonly component: string;
  readonly text: string;
}

/** All times are milliseconds by one clock; the bundle has them relative to an origin. */
export class EvidenceRecorder {
  readonly #components: readonly EvidenceComponent[];
  readonly #relations: EvidenceBundle['relations'];
  readonly #series = new Map<string, SeriesLog>();
  readonly #events: SeenEvent[] = [];
  readonly #pointsEach: number;

  /** @param seriesEach how many series a component may come to have: the fewer, the more points each may keep */
  constructor(
    components: readonly EvidenceComponent[],
    relations: EvidenceBundle['relations'],
    seriesEach: number,
  ) {
    this.#components = components;
    this.#relations = relations;
    const share = Math.floor(EVIDENCE_LIMITS.points / Math.max(1, components.length * seriesEach));
    this.#pointsEach = Math.min(MOST_POINTS, Math.max(LEAST_POINTS, share));
  }

  /** Takes a value in; one of the past finds its place. Of a component that is not among ours nothing is kept. */
  add(at: number, component: string, signal: Signal, value: number): void {
    if (!Number.isFinite(at) || !Number.isFinite(value)) return;
    if (!this.#components.some(({ name }) => name === component)) return;
    const key = `${component} ${signal}`;
    const log = this.#series.get(key) ?? { component, signal, points: [] };
    if (!this.#series.has(key)) {
      if (this.#series.size >= EVIDENCE_LIMITS.series) return;
      this.#series.set(key, log);
    }
    insert(log.points, [at, value]);
    // Twice as many before they are thinned: then that costs little for each of them.
    if (log.points.length > 2 * this.#pointsEach) log.points = thin(log.points, this.#pointsEach);
  }

  /** The last value of a series. */
  last(component: string, signal: Signal): number | undefined {
    return this.#series.get(`${component} ${signal}`)?.points.at(-1)?.[1];
  }

  /** Where there are too many events, the first and the last half of them stay. */
  event(at: number, component: string, text: string): void {
    this.#events.push({ at, component, text: truncate(text, EVIDENCE_LIMITS.text) });
    if (this.#events.length > EVIDENCE_LIMITS.events) this.#events.splice(EVIDENCE_LIMITS.events / 2, 1);
  }

  /** All of it so far, with times relative to `origin`. */
  bundle(origin: number, invariant?: SeenInvariant): EvidenceBundle {
    const moment = (at: number): number => Math.round(at - origin);
    const bundle: EvidenceBundle = {
      version: EVIDENCE_VERSION,
      components: [...this.#components],
      relations: [...this.#relations],
      series: [...this.#series.values()].map(({ component, points, signal }, i) => ({
        id: `s${i + 1}`,
        component,
        signal,
        unit: SIGNALS[signal].unit,
        points: points.map(([at, value]): [number, number] => [
          // Requests that come together are told apart by fractions of a millisecond.
          signal === 'arrivals' ? rounded(at - origin, 100) : moment(at),
          SIGNALS[signal].unit === 'ms' ? rounded(value, 10) : value,
        ]),
      })),
      events: this.#events
        .toSorted((a, b) => a.at - b.at)
        .map(({ at, component, text }, i) => ({ id: `e${i + 1}`, atMs: moment(at), component, text })),
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

/** Puts a point in its place; a value that stays needs its first and its last sight alone. */
function insert(points: Point[], point: Point): void {
  const [at, value] = point;
  const last = points.at(-1);
  if (last && last[0] > at) {
    points.splice(points.findLastIndex(([before]) => before <= at) + 1, 0, point);
    return;
  }
  if (last?.[1] === value && points.at(-2)?.[1] === value) points.pop();
  points.push(point);
}

function rounded(value: number, parts: number): number {
  return Math.round(value * parts) / parts;
}

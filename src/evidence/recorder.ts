/** Records observations, and builds a bundle of them within its bounds. */
import { truncate } from '../api/index.ts';
import {
  EVIDENCE_LIMITS,
  EVIDENCE_VERSION,
  type EvidenceBundle,
  type EvidenceComponent,
  SIGNALS,
  type Signal,
} from './bundle.ts';
import { type Point, thin } from './thin.ts';

/** A series has at most this many points, or its share of those of a bundle. */
const MAX_POINTS = 240;
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
  /** Whether each value is added to those before it. */
  readonly isCount: boolean;
  /** As recorded: late reports are sorted in at the end. */
  readonly points: Point[];
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
  readonly #series = new Map<string, SeriesLog>();
  readonly #events: RecordedEvent[] = [];
  #eventCount = 0;

  constructor(components: readonly EvidenceComponent[]) {
    this.#components = components;
  }

  /** Adds a value. Ignores unknown components. */
  add(at: number, component: string, signal: Signal, value: number): void {
    if (Number.isFinite(value)) this.#record(at, component, signal, value, false);
  }

  /** Adds `more` to a cumulative series; a late report also raises all later points. */
  count(at: number, component: string, signal: Signal, more = 1): void {
    this.#record(at, component, signal, more, true);
  }

  #record(at: number, component: string, signal: Signal, value: number, isCount: boolean): void {
    if (!Number.isFinite(at) || !this.#components.some(({ name }) => name === component)) return;
    const key = `${component} ${signal}`;
    let log = this.#series.get(key);
    if (!log) {
      if (this.#series.size >= EVIDENCE_LIMITS.series) return;
      log = { component, signal, isCount, points: [] };
      this.#series.set(key, log);
    }
    log.points.push([at, value]);
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
    const most = Math.min(MAX_POINTS, Math.floor(EVIDENCE_LIMITS.points / Math.max(1, this.#series.size)));
    return {
      version: EVIDENCE_VERSION,
      components: [...this.#components],
      series: [...this.#series.values()].map((log, i) => ({
        id: `s${i + 1}`,
        component: log.component,
        signal: log.signal,
        points: thin(drawn(log), most).map(([at, value]): [number, number] => [
          moment(at),
          // Times have one decimal place.
          SIGNALS[log.signal].unit === 'ms' ? Math.round(value * 10) / 10 : Math.round(value),
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
  }
}

/** The points of a series in order; of a constant value only the first and last observation stay. */
function drawn({ isCount, points }: SeriesLog): Point[] {
  let sum = 0;
  const line: Point[] = [];
  for (const [at, value] of points.toSorted((a, b) => a[0] - b[0])) {
    if (isCount) {
      sum += value;
      line.push([at, sum]);
      continue;
    }
    if (line.at(-1)?.[1] === value && line.at(-2)?.[1] === value) line.pop();
    line.push([at, value]);
  }
  return line;
}

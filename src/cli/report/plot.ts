/** A plot of a report, and its text alternative. Pure. */
import type { ScenarioEvidence } from '../../evidence/index.ts';
import type { Table } from './table.ts';

/** Milliseconds since the `since` of the plot, and a value. */
export type PlotPoint = readonly [atMs: number, value: number];

export type PlotKey = 'counts' | 'answers' | 'store' | 'replicas';

export interface Plot {
  readonly key: PlotKey;
  readonly title: string;
  /** How to read it, in a sentence. */
  readonly about: string;
  /** ms: each point is of one request, and drawn as a dot. requests: counts, joined by lines. */
  readonly unit: 'ms' | 'requests';
  /** The zero of the time axis. */
  readonly since: string;
  /** Whether the axis is logarithmic, because of a large range of values. */
  readonly log: boolean;
  readonly fromMs: number;
  readonly toMs: number;
  readonly lines: readonly PlotLine[];
  readonly bands: readonly { readonly kind: string; readonly fromMs: number; readonly toMs: number }[];
  /** Times at which the invariant was broken, and at which that was known. */
  readonly marks: readonly { readonly atMs: number; readonly text: string }[];
  /** The upper bound. */
  readonly bound?: { readonly text: string; readonly value: number };
}

export interface PlotLine {
  readonly name: string;
  /** Colour: 0 the subject of the plot, 1 and 2 its comparison, 3 bad news; `faint`: one of many. */
  readonly colour: 0 | 1 | 2 | 3 | 'faint';
  readonly points: readonly PlotPoint[];
  /** Whether the last value continues: a cumulative count. */
  readonly holds?: boolean;
  /** Whether it is what the subject of the plot is compared with. */
  readonly isBound?: boolean;
}

/** The least value on a logarithmic axis, in its unit. */
export const MIN_LOG = 0.1;
/** Up to this many single pods are drawn; of more, only the sum. */
export const MAX_PODS = 8;
/** "replica-1" with its pod. */
export function componentName({ pods }: ScenarioEvidence, component: string): string {
  const pod = pods.find((one) => one.component === component)?.pod;
  return pod === undefined ? component : `${component} (${pod})`;
}

/** The table for screen readers and exact figures: a row for each line. */
export function tableOf({ lines, title, unit }: Plot): Table {
  const at = ([ms, value]: PlotPoint): string => `${round(value)} ${unit} at ${seconds(ms)}`;
  return {
    caption: title,
    head: ['line', 'first', 'most', 'last'],
    rows: lines.flatMap(({ name, points }) => {
      const [first, last] = [points[0], points.at(-1)];
      if (!first || !last) return [];
      return [[name, at(first), at(points.reduce((a, b) => (b[1] > a[1] ? b : a))), at(last)]];
    }),
  };
}

/** The value at a time on the line between two points. */
export function between([from, first]: PlotPoint, [to, last]: PlotPoint, atMs: number): number {
  return first + ((last - first) * (atMs - from)) / (to - from);
}

/** Rounds to tenths. */
export function round(value: number): number {
  return Math.round(value * 10) / 10;
}

/** "+1.25 s" from milliseconds. */
export function seconds(ms: number): string {
  return `${ms < 0 ? '-' : '+'}${(Math.abs(ms) / 1000).toFixed(2)} s`;
}

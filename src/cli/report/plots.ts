/** Which plots the evidence of a scenario gives, and where in them a citation of a diagnosis lies. Pure. */
import type { DiagnosisStatus } from '../../api/index.ts';
import type { EvidenceBundle, EvidenceSeries, ScenarioEvidence, Signal } from '../../evidence/index.ts';
import { combined, pointsOf } from '../view/series.ts';

/** Milliseconds since the start of the fault, and a value. */
export type PlotPoint = readonly [atMs: number, value: number];

export type PlotKey = 'counts' | 'answers' | 'store' | 'replicas' | 'arrivals';

export interface Plot {
  readonly key: PlotKey;
  readonly title: string;
  /** What to look for, in a sentence. */
  readonly about: string;
  readonly unit: string;
  /** Whether the values span so much that the axis is logarithmic. */
  readonly log: boolean;
  readonly fromMs: number;
  readonly toMs: number;
  readonly lines: readonly PlotLine[];
  readonly bands: readonly { readonly kind: string; readonly fromMs: number; readonly toMs: number }[];
  /** Moments: when the invariant was broken, and when that was known. */
  readonly marks: readonly { readonly atMs: number; readonly text: string }[];
  /** What must not be exceeded. */
  readonly bound?: { readonly text: string; readonly value: number };
  readonly cites: readonly Cite[];
}

export interface PlotLine {
  readonly name: string;
  /** Which colour: 0 the subject of the plot, 1 and 2 what it is held against, 3 bad news; `faint`: one of many. */
  readonly colour: 0 | 1 | 2 | 3 | 'faint';
  readonly points: readonly PlotPoint[];
  /** How its points hang together. dots: each is of its own; rises: until the value falls. */
  readonly joined: 'all' | 'dots' | 'rises';
  /** Row in a plot of dots, with what stands before it; a line where there is none. */
  readonly row?: { readonly at: number; readonly label: string };
}

/** Where a citation lies in a plot. */
export interface Cite {
  readonly id: string;
  readonly atMs: number;
  /** undefined: at the top, as it is a moment alone. */
  readonly value?: number;
}

/** So many single pods are drawn; of more, their sum alone. */
const MOST_PODS = 8;
/** A span of values from which on an axis is logarithmic. */
const LOG_FROM = 100;
/** The least value on a logarithmic axis, in its unit. */
export const LEAST_LOG = 0.1;
/** Rows of dots. */
const MOST_ROWS = 64;

/** The plots of one scenario that have something to show, in the order in which one reads them. */
export function plotsOf(scenario: ScenarioEvidence, diagnosis?: DiagnosisStatus): Plot[] {
  const plots = [counts, answers, store, replicas, arrivals]
    .map((make) => make(scenario))
    .filter((plot) => plot !== undefined);
  return withCites(plots, scenario, diagnosis);
}

/** Ids that a diagnosis cites and the bundle has, in order of their first citation. */
export function citedIds(diagnosis: DiagnosisStatus | undefined): string[] {
  return [...new Set((diagnosis?.chain ?? []).flatMap(({ evidence }) => evidence))].filter((id) =>
    /^[sev][1-9][0-9]{0,3}$/.test(id),
  );
}

/** "replica-1" with the pod behind it. */
export function componentName({ pods }: ScenarioEvidence, component: string): string {
  const pod = pods.find((one) => one.component === component)?.pod;
  return pod === undefined ? component : `${component} (${pod})`;
}

function counts(scenario: ScenarioEvidence): Plot | undefined {
  const local = pointsOf(scenario, 'count-local');
  const stored = pointsOf(scenario, 'count-stored');
  if (local.length === 0) return undefined;
  return plot(scenario, {
    key: 'counts',
    title: 'Counts of the nodes against the store',
    // Elsewhere the two are read at moments of their own, and a gap would say more of the reading.
    about: scenario.bundle.invariant?.formula.includes('count-stored')
      ? 'Where the two lines part, the nodes admit what the store has not counted.'
      : 'Each is read at moments of its own, so a gap of less than a second says nothing.',
    unit: 'requests',
    lines: [
      ...faint(scenario, 'count-local'),
      ...(stored[0]
        ? [{ name: 'the store holds', colour: 1 as const, points: stored[0], joined: 'all' as const }]
        : []),
      { name: 'all nodes together', colour: 0, points: combined(local, sum), joined: 'all' },
    ],
  });
}

function answers(scenario: ScenarioEvidence): Plot | undefined {
  const all = (signal: Signal) => pointsOf(scenario, signal);
  const line = (name: string, signal: Signal, colour: 0 | 2 | 3): PlotLine[] => {
    const some = all(signal);
    const points = some.length === 0 ? [] : combined(some, sum);
    return points.some(([, value]) => value > 0) ? [{ name, colour, points, joined: 'all' }] : [];
  };
  // What was denied would dwarf the rest, and stands in the table of answers.
  const lines = [
    ...line('failed', 'requests-failed', 3),
    ...line('not answered', 'requests-unanswered', 2),
    ...line('allowed', 'requests-allowed', 0),
  ];
  if (lines.length === 0) return undefined;
  const limit = all('limit').at(-1)?.at(-1)?.[1];
  return plot(scenario, {
    key: 'answers',
    title: 'What callers were allowed',
    about:
      limit === undefined
        ? 'Answers so far, of all nodes together; those denied are in the table above.'
        : `Answers so far, of all nodes together; those denied are in the table above. Allowed should end at ${limit} or below.`,
    unit: 'requests',
    lines,
    ...(limit !== undefined && { bound: { text: `limit ${limit}`, value: limit } }),
  });
}

function store(scenario: ScenarioEvidence): Plot | undefined {
  const of = (name: string, signal: Signal, colour: 0 | 1 | 2 | 3): PlotLine[] => {
    const [points] = pointsOfRole(scenario, 'store', signal);
    return points ? [{ name, colour, points, joined: joinedOf(signal) }] : [];
  };
  const lines = [
    ...of('a read took', 'read-latency', 1),
    ...of('a write took', 'write-latency', 0),
    ...of('a write has waited', 'write-outstanding', 3),
    ...of('no answer for', 'unreachable', 2),
  ];
  if (lines.length === 0) return undefined;
  return plot(scenario, {
    key: 'store',
    title: 'How long reads and writes of the store took',
    about: 'Asked four times a second with a probe key of its own.',
    unit: 'ms',
    lines,
  });
}

function replicas(scenario: ScenarioEvidence): Plot | undefined {
  const latency = faint(scenario, 'request-latency', MOST_PODS);
  const unreachable = pointsOfRole(scenario, 'replica', 'unreachable');
  const lines: PlotLine[] = [
    ...latency,
    ...(unreachable.length === 0
      ? []
      : [
          {
            name: 'a node gave no answer for, at most',
            colour: 3 as const,
            points: combined(unreachable, most),
            joined: 'rises' as const,
          },
        ]),
  ];
  if (lines.length === 0) return undefined;
  return plot(scenario, {
    key: 'replicas',
    title: 'How long answers of the nodes took',
    about: 'A dot is an answer, of any node.',
    unit: 'ms',
    lines,
  });
}

function arrivals(scenario: ScenarioEvidence): Plot | undefined {
  const all = scenario.bundle.series.filter(({ signal }) => signal === 'arrivals').slice(0, MOST_ROWS);
  if (all.length === 0) return undefined;
  const points = all.flatMap((series) => series.points);
  const [from, to] = [Math.min(...points.map(([at]) => at)), Math.max(...points.map(([at]) => at))];
  const room = Math.max(0.1, (to - from) * 0.05);
  return {
    ...plot(scenario, {
      key: 'arrivals',
      title: 'When the requests of the burst were sent, by pod',
      about: `All of them were sent within ${round(to - from)} ms.`,
      unit: '',
      lines: all.map((series, at) => ({
        name: componentName(scenario, series.component),
        colour: 0,
        points: series.points,
        joined: 'dots',
        row: { at, label: series.component },
      })),
    }),
    fromMs: from - room,
    toMs: to + room,
    bands: [],
    marks: [],
  };
}

/** A line for each component that has the signal; none where they are too many to tell apart. */
function faint(scenario: ScenarioEvidence, signal: Signal, mostLines = MOST_PODS): PlotLine[] {
  const some = scenario.bundle.series.filter((series) => series.signal === signal);
  const shown = some.length > mostLines && signal === 'count-local' ? [] : some.slice(0, mostLines);
  return shown.map(({ component, points }) => ({
    name: componentName(scenario, component),
    colour: 'faint',
    points,
    joined: joinedOf(signal),
  }));
}

/** A latency is of one request; a wait grows until it is over, and the next one is another. */
function joinedOf(signal: Signal): PlotLine['joined'] {
  if (signal.endsWith('-latency') || signal === 'arrivals') return 'dots';
  return signal === 'write-outstanding' || signal === 'unreachable' ? 'rises' : 'all';
}

function pointsOfRole({ bundle }: ScenarioEvidence, role: string, signal: Signal): (readonly PlotPoint[])[] {
  const names = new Set(bundle.components.filter((one) => one.role === role).map(({ name }) => name));
  return bundle.series
    .filter((series) => series.signal === signal && names.has(series.component))
    .map(({ points }) => points);
}

function plot(
  { bands, bundle, bundleAtMs, detections }: ScenarioEvidence,
  made: Pick<Plot, 'about' | 'bound' | 'key' | 'lines' | 'title' | 'unit'>,
): Plot {
  // All plots of a scenario have one axis of time, so that what happened together stands at one place.
  const moments = bundle.series
    .filter(({ signal }) => signal !== 'limit')
    .flatMap(({ points }) => [points[0], points.at(-1)]);
  const spans = bands.map(({ fromMs, kind, toMs }) => ({
    kind,
    fromMs: fromMs - bundleAtMs,
    toMs: (toMs ?? fromMs) - bundleAtMs,
  }));
  const times = [
    ...moments.map((point) => point?.[0] ?? 0),
    ...spans.flatMap(({ fromMs, toMs }) => [fromMs, toMs]),
  ];
  const values = made.lines.flatMap(({ points }) => points.map(([, value]) => value));
  const [least, greatest] = [Math.min(...values.filter((value) => value > 0)), Math.max(...values)];
  return {
    ...made,
    log: made.unit === 'ms' && greatest / Math.max(least, LEAST_LOG) > LOG_FROM,
    fromMs: Math.min(...times),
    toMs: Math.max(...times),
    bands: spans,
    marks: detections.map(({ atMs, text }) => ({
      atMs: atMs - bundleAtMs,
      text: text.startsWith('broken') ? 'broken' : 'detected',
    })),
    cites: [],
  };
}

/** Which plot shows a signal, where its component is a replica or the store. */
function plotFor({ component, signal }: EvidenceSeries): PlotKey {
  if (signal === 'arrivals') return 'arrivals';
  if (signal === 'count-local' || signal === 'count-stored' || signal === 'count-lag') return 'counts';
  if (signal.startsWith('requests-') || signal.startsWith('others-') || signal === 'limit') return 'answers';
  return component.startsWith('replica') ? 'replicas' : 'store';
}

/** With the places of what is cited. A series of one node that is cited is drawn, where only the sum would be. */
function withCites(
  plots: readonly Plot[],
  scenario: ScenarioEvidence,
  diagnosis: DiagnosisStatus | undefined,
): Plot[] {
  const ids = citedIds(diagnosis);
  const cited = scenario.bundle.series.filter(({ id }) => ids.includes(id));
  return plots.map((plot, i) => {
    const mine = cited.filter((series) => plotFor(series) === plot.key);
    const missing = mine.filter(
      ({ points, signal }) => signal !== 'limit' && !plot.lines.some((line) => line.points === points),
    );
    const drawn = missing.slice(0, MOST_PODS).map(
      ({ component, points, signal }): PlotLine => ({
        name: `${componentName(scenario, component)} ${signal}`,
        colour: 'faint',
        points,
        joined: joinedOf(signal),
      }),
    );
    // What is a moment alone stands in the first plot.
    const moments = i === 0 && plot.key !== 'arrivals' ? momentsOf(scenario.bundle, ids) : [];
    const cites = [...mine.map((series) => placeOf(series, plot)), ...moments];
    return { ...plot, lines: [...drawn, ...plot.lines], cites };
  });
}

function placeOf({ id, points }: EvidenceSeries, { lines }: Plot): Cite {
  const [atMs, value] = points.reduce((a, b) => (b[1] > a[1] ? b : a));
  const row = lines.find((line) => line.points === points)?.row;
  return { id, atMs, value: row ? row.at : value };
}

function momentsOf({ events, invariant }: EvidenceBundle, ids: readonly string[]): Cite[] {
  const all = [
    ...events.map(({ atMs, id }) => ({ atMs, id })),
    ...(invariant?.values ?? []).map(({ id }) => ({ atMs: invariant?.brokenAtMs ?? 0, id })),
  ];
  return all.filter(({ id }) => ids.includes(id));
}

/** What a screen reader, or whoever wants figures, gets of a plot: a row for each line. */
export function tableOf({ lines, unit }: Plot): {
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
} {
  if (lines.some(({ row }) => row !== undefined)) {
    return {
      head: ['pod', 'requests', 'first', 'last'],
      rows: lines.map(({ name, points }) => [
        name,
        String(points.at(-1)?.[1] ?? 0),
        `${round(points[0]?.[0] ?? 0)} ms`,
        `${round(points.at(-1)?.[0] ?? 0)} ms`,
      ]),
    };
  }
  const at = (point: PlotPoint): string => `${round(point[1])} ${unit} at ${seconds(point[0])}`;
  return {
    head: ['line', 'first', 'most', 'last'],
    rows: lines.flatMap(({ name, points }) => {
      const [first, last] = [points[0], points.at(-1)];
      if (!first || !last) return [];
      return [[name, at(first), at(points.reduce((a, b) => (b[1] > a[1] ? b : a))), at(last)]];
    }),
  };
}

function sum(values: readonly number[]): number {
  return values.reduce((all, value) => all + value, 0);
}

function most(values: readonly number[]): number {
  return Math.max(...values);
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

/** "+1.25 s" of milliseconds. */
export function seconds(ms: number): string {
  return `${ms < 0 ? '-' : '+'}${(Math.abs(ms) / 1000).toFixed(2)} s`;
}

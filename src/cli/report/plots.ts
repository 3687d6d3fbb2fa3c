/** The plots for the evidence of a scenario. Pure. */
import type { ScenarioEvidence, Signal } from '../../evidence/index.ts';
import {
  componentName,
  joinedOf,
  MAX_PODS,
  MIN_LOG,
  type Plot,
  type PlotLine,
  type PlotPoint,
  sinceOf,
} from './plot.ts';

/** Range of values from which an axis is logarithmic. */
const LOG_FROM = 100;
/** Data in less than this share of the observed time is enlarged. */
const MOMENT = 0.05;

/** The plots of one scenario that have data, in reading order. */
export function plotsOf(scenario: ScenarioEvidence): Plot[] {
  return [counts, answers, store, replicas]
    .map((make) => make(scenario))
    .filter((plot) => plot !== undefined);
}

function counts(scenario: ScenarioEvidence): Plot | undefined {
  const admitted = pointsOf(scenario, 'requests-admitted');
  const [stored] = pointsOf(scenario, 'count-stored');
  if (!stored || admitted.length === 0) return undefined;
  return plot(scenario, {
    key: 'counts',
    title: 'Counts of the pods against the store',
    about: 'If the solid line is above the dashed one, pods admitted more than the store counted.',
    unit: 'requests',
    lines: [
      ...faint(scenario, 'requests-admitted'),
      { name: 'the store holds', colour: 1, points: stored, joined: 'all', isBound: true },
      { name: 'all pods together', colour: 0, points: combined(admitted, sum), joined: 'all', holds: true },
    ],
  });
}

function answers(scenario: ScenarioEvidence): Plot | undefined {
  const all = (signal: Signal) => pointsOf(scenario, signal);
  const line = (name: string, colour: 0 | 1 | 2 | 3, ...signals: Signal[]): PlotLine[] => {
    const some = signals.flatMap(all);
    const points = some.length === 0 ? [] : combined(some, sum);
    return points.some(([, value]) => value > 0)
      ? [{ name, colour, points, joined: 'all', holds: true }]
      : [];
  };
  // Rejected requests would dwarf the rest, and are in the table of answers.
  const lines = [
    ...line('failed, of all callers', 3, 'requests-errors', 'others-errors'),
    ...line('not answered, of all callers', 2, 'requests-timeouts', 'others-timeouts'),
    ...line('allowed to a caller that is new in the fault', 1, 'newcomer-admitted'),
    ...line('admitted', 0, 'requests-admitted'),
  ];
  if (lines.length === 0) return undefined;
  const limits = all('limit').at(-1) ?? [];
  const limit = limits.at(-1)?.[1];
  // The limit of a bucket grows during the observation.
  const grows = limits.some(([, value]) => value !== limit);
  return plot(scenario, {
    key: 'answers',
    title: 'Admitted requests',
    about:
      limit === undefined
        ? 'Answers until each moment, of all pods together; rejected requests are in the table above.'
        : `Answers until each moment, of all pods together; rejected requests are in the table above. Admitted should ${grows ? `stay at the limit or below, which is ${limit} in the end` : `end at ${limit} or below`}.`,
    unit: 'requests',
    lines: grows
      ? [
          ...lines,
          { name: 'the limit allows', colour: 1, points: limits, joined: 'all', holds: true, isBound: true },
        ]
      : lines,
    ...(limit !== undefined && !grows && { bound: { text: `limit ${limit}`, value: limit } }),
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
    title: 'Latency of reads and writes of the store',
    about: 'Measured four times a second, with a probe key.',
    unit: 'ms',
    lines,
  });
}

function replicas(scenario: ScenarioEvidence): Plot | undefined {
  const latency = faint(scenario, 'request-latency', MAX_PODS);
  const unreachable = pointsOfRole(scenario, 'replica', 'unreachable');
  const lines: PlotLine[] = [
    ...latency,
    ...(unreachable.length === 0
      ? []
      : [
          {
            name: 'a pod gave no answer for, at most',
            colour: 3 as const,
            points: combined(unreachable, most),
            joined: 'dots' as const,
          },
        ]),
  ];
  if (lines.length === 0) return undefined;
  return plot(scenario, {
    key: 'replicas',
    title: 'Latency of the pods',
    about: 'A dot is an answer, of any pod.',
    unit: 'ms',
    lines,
  });
}

/** A line for each component that has the signal; none if there are too many to distinguish. */
function faint(scenario: ScenarioEvidence, signal: Signal, mostLines = MAX_PODS): PlotLine[] {
  const some = scenario.bundle.series.filter((series) => series.signal === signal);
  const shown = some.length > mostLines && signal === 'requests-admitted' ? [] : some.slice(0, mostLines);
  return shown.map(({ component, points }) => ({
    name: componentName(scenario, component),
    colour: 'faint',
    points,
    joined: joinedOf(signal),
  }));
}

function pointsOfRole({ bundle }: ScenarioEvidence, role: string, signal: Signal): (readonly PlotPoint[])[] {
  const names = new Set(bundle.components.filter((one) => one.role === role).map(({ name }) => name));
  return bundle.series
    .filter((series) => series.signal === signal && names.has(series.component))
    .map(({ points }) => points);
}

function plot(
  { bands, bundle, detections, originMs }: ScenarioEvidence,
  made: Pick<Plot, 'about' | 'bound' | 'key' | 'lines' | 'title' | 'unit'>,
): Plot {
  // All plots of a scenario share one time axis, so that simultaneous events line up.
  const moments = bundle.series
    .filter(({ signal }) => signal !== 'limit')
    .flatMap(({ points }) => [points[0], points.at(-1)]);
  const lastSeen = Math.max(0, ...moments.map((point) => point?.[0] ?? 0));
  const spans = bands.map(({ from, kind, to }) => ({
    kind,
    fromMs: from - originMs,
    // An open band continues to the last observation.
    toMs: (to ?? Math.max(from, originMs + lastSeen)) - originMs,
  }));
  const times = [
    ...moments.map((point) => point?.[0] ?? 0),
    ...spans.flatMap(({ fromMs, toMs }) => [fromMs, toMs]),
  ];
  const values = made.lines.flatMap(({ points }) => points.map(([, value]) => value));
  const [least, greatest] = [Math.min(...values.filter((value) => value > 0)), Math.max(...values)];
  const whole = { fromMs: Math.min(...times), toMs: Math.max(...times) };
  const lasts = bands.some(({ kind }) => kind === 'fault') && !bands.some(({ kind }) => kind === 'burst');
  const span = lasts || made.key === 'counts' || made.key === 'store' ? whole : spanOf(made.lines, whole);
  const isIn = (at: number): boolean => at >= span.fromMs && at <= span.toMs;
  return {
    ...made,
    ...span,
    since: sinceOf({ bands }),
    log: made.unit === 'ms' && greatest / Math.max(least, MIN_LOG) > LOG_FROM,
    bands: spans
      .filter(({ fromMs, toMs }) => fromMs <= span.toMs && toMs >= span.fromMs)
      .map(({ fromMs, kind, toMs }) => ({
        kind,
        fromMs: Math.max(fromMs, span.fromMs),
        toMs: Math.min(toMs, span.toMs),
      })),
    marks: detections
      .map(({ at, kind }) => ({ atMs: at - originMs, text: kind }))
      .filter(({ atMs }) => isIn(atMs)),
  };
}

/**
 * For short data, its own time range and a margin; otherwise the full range. A fault with a duration is always shown.
 */
function spanOf(
  lines: readonly PlotLine[],
  whole: Pick<Plot, 'fromMs' | 'toMs'>,
): Pick<Plot, 'fromMs' | 'toMs'> {
  const times = lines.flatMap(({ points }) => points.map(([at]) => at));
  const [from, to] = [Math.min(...times), Math.max(...times)];
  if (to - from > MOMENT * (whole.toMs - whole.fromMs)) return whole;
  const room = Math.max(5, 0.2 * (to - from));
  return { fromMs: Math.min(0, from) - room, toMs: to + 2 * room };
}

function sum(values: readonly number[]): number {
  return values.reduce((all, value) => all + value, 0);
}

function most(values: readonly number[]): number {
  return Math.max(...values);
}

/** The points of a signal, for each component that has it. */
function pointsOf({ bundle }: ScenarioEvidence, signal: Signal): (readonly PlotPoint[])[] {
  return bundle.series.filter((series) => series.signal === signal).map(({ points }) => points);
}

/**
 * Combines several series: at each time of any of them, `join` of the interpolated values. Evidence is thinned out so
 * that lines between its points stay true.
 */
function combined(
  all: readonly (readonly PlotPoint[])[],
  join: (values: readonly number[]) => number,
): readonly PlotPoint[] {
  const moments = [...new Set(all.flatMap((points) => points.map(([atMs]) => atMs)))].toSorted(
    (a, b) => a - b,
  );
  const readers = all.map(readerOf);
  return moments.map((atMs): PlotPoint => [atMs, join(readers.map((read) => read(atMs)))]);
}

/** Reads a count at ascending times: 0 before its first point, and its last value after the end. */
function readerOf(points: readonly PlotPoint[]): (atMs: number) => number {
  let next = 0;
  return (atMs) => {
    while (next < points.length && (points[next]?.[0] ?? 0) <= atMs) next++;
    const [before, after] = [points[next - 1], points[next]];
    if (!before) return 0;
    if (!after) return before[1];
    return before[1] + ((after[1] - before[1]) * (atMs - before[0])) / (after[0] - before[0]);
  };
}

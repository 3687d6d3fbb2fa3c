/** The plots for the evidence of a scenario. Pure. */
import type { ComponentRole, ScenarioEvidence, Signal } from '../../evidence/index.ts';
import { sumOf } from '../../subjects/history/counts.ts';
import {
  between,
  componentName,
  MAX_PODS,
  MIN_LOG,
  type Plot,
  type PlotLine,
  type PlotPoint,
} from './plot.ts';

/** Range of values from which an axis is logarithmic. */
const LOG_FROM = 100;
/** Data in less than this share of the observed time is enlarged. */
const MOMENT = 0.05;

type Parts = Pick<Plot, 'about' | 'bound' | 'key' | 'lines' | 'title' | 'unit'>;

/** The plots of one scenario that have data, in reading order. */
export function plotsOf(scenario: ScenarioEvidence): Plot[] {
  return [counts, answers, store, replicas]
    .map((partsOf) => partsOf(scenario))
    .filter(({ lines }) => lines.length > 0)
    .map((parts) => plot(scenario, parts));
}

function counts(scenario: ScenarioEvidence): Parts {
  const admitted = combined(pointsOf(scenario, 'requests-admitted'));
  const [stored] = pointsOf(scenario, 'count-stored');
  return {
    key: 'counts',
    title: 'Counts of the pods against the store',
    about: 'If the solid line is above the dashed one, pods admitted more than the store counted.',
    unit: 'requests',
    lines:
      !stored || admitted.length === 0
        ? []
        : [
            ...faint(scenario, 'requests-admitted'),
            ...lineOf('the store holds', 1, stored, { isBound: true }),
            ...lineOf('all pods together', 0, admitted, { holds: true }),
          ],
  };
}

function answers(scenario: ScenarioEvidence): Parts {
  const line = (name: string, colour: 0 | 1 | 2 | 3, ...signals: Signal[]): PlotLine[] => {
    const points = combined(signals.flatMap((signal) => pointsOf(scenario, signal)));
    return points.some(([, value]) => value > 0) ? lineOf(name, colour, points, { holds: true }) : [];
  };
  // Rejected requests would dwarf the rest, and are in the table of answers.
  const lines = [
    ...line('failed, of all callers', 3, 'requests-errors', 'others-errors'),
    ...line('without a response, of all callers', 2, 'requests-timeouts', 'others-timeouts'),
    ...line('allowed to a caller that is new in the fault', 1, 'newcomer-admitted'),
    ...line('admitted', 0, 'requests-admitted'),
  ];
  const limits = pointsOf(scenario, 'limit').at(-1) ?? [];
  const limit = limits.at(-1)?.[1];
  // The limit of a bucket grows during the observation.
  const grows = lines.length > 0 && limits.some(([, value]) => value !== limit);
  const should = grows
    ? `stay at the limit or below, which is ${limit} in the end`
    : `end at ${limit} or below`;
  return {
    key: 'answers',
    title: 'Admitted requests',
    about: `Responses until each moment, of all pods together; rejected requests are in the table above.${limit === undefined ? '' : ` Admitted should ${should}.`}`,
    unit: 'requests',
    lines: [
      ...lines,
      ...(grows ? lineOf('the limit allows', 1, limits, { holds: true, isBound: true }) : []),
    ],
    ...(limit !== undefined && !grows && { bound: { text: `limit ${limit}`, value: limit } }),
  };
}

function store(scenario: ScenarioEvidence): Parts {
  const line = (name: string, signal: Signal, colour: 0 | 1 | 2 | 3): PlotLine[] =>
    lineOf(name, colour, pointsOf(scenario, signal, 'store')[0]);
  return {
    key: 'store',
    title: 'Latency of reads and writes of the store',
    about: 'Measured four times a second, with a probe key.',
    unit: 'ms',
    lines: [
      ...line('a read took', 'read-latency', 1),
      ...line('a write took', 'write-latency', 0),
      ...line('a write has waited', 'write-outstanding', 3),
      ...line('no reply for', 'unreachable', 2),
    ],
  };
}

function replicas(scenario: ScenarioEvidence): Parts {
  const unreachable = combined(pointsOf(scenario, 'unreachable', 'replica'), (values) => Math.max(...values));
  return {
    key: 'replicas',
    title: 'Latency of the pods',
    about: 'A dot is a response of any pod.',
    unit: 'ms',
    lines: [
      ...faint(scenario, 'request-latency'),
      ...lineOf('a pod gave no response for, at most', 3, unreachable),
    ],
  };
}

/** A line through these points; none without them. */
function lineOf(
  name: string,
  colour: PlotLine['colour'],
  points: readonly PlotPoint[] = [],
  more: Partial<PlotLine> = {},
): PlotLine[] {
  return points.length === 0 ? [] : [{ name, colour, points, ...more }];
}

/** A line for each component that has the signal; none if there are too many to distinguish. */
function faint(scenario: ScenarioEvidence, signal: Signal): PlotLine[] {
  const some = scenario.bundle.series.filter((series) => series.signal === signal);
  const shown = some.length > MAX_PODS && signal === 'requests-admitted' ? [] : some.slice(0, MAX_PODS);
  return shown.flatMap(({ component, points }) =>
    lineOf(componentName(scenario, component), 'faint', points),
  );
}

/** The points of a signal, for each component of that role, or any, that has it. */
function pointsOf(
  { bundle: { components, series } }: ScenarioEvidence,
  signal: Signal,
  role?: ComponentRole,
): (readonly PlotPoint[])[] {
  const isOfRole = (component: string): boolean =>
    role === undefined || components.some((one) => one.name === component && one.role === role);
  return series.filter((one) => one.signal === signal && isOfRole(one.component)).map(({ points }) => points);
}

function plot({ bands, bundle, detections, originMs }: ScenarioEvidence, parts: Parts): Plot {
  // All plots of a scenario share one time axis, so that simultaneous events line up.
  const moments = bundle.series
    .filter(({ signal }) => signal !== 'limit')
    .flatMap(({ points }) => [points[0], points.at(-1)])
    .map((point) => point?.[0] ?? 0);
  // An open band continues to the last observation.
  const lastSeen = Math.max(0, ...moments) + originMs;
  const spans = bands.map(({ from, kind, to = Math.max(from, lastSeen) }) => ({
    kind,
    fromMs: from - originMs,
    toMs: to - originMs,
  }));
  const times = [...moments, ...spans.flatMap(({ fromMs, toMs }) => [fromMs, toMs])];
  const whole = { fromMs: Math.min(...times), toMs: Math.max(...times) };
  const has = (kind: string): boolean => bands.some((band) => band.kind === kind);
  const isWhole = parts.key === 'counts' || parts.key === 'store' || (has('fault') && !has('burst'));
  const { fromMs, toMs } = isWhole ? whole : spanOf(parts.lines, whole);
  const values = parts.lines.flatMap(({ points }) => points.map(([, value]) => value));
  const [least, greatest] = [Math.min(...values.filter((value) => value > 0)), Math.max(...values)];
  return {
    ...parts,
    fromMs,
    toMs,
    since: has('burst')
      ? 'the start of the burst'
      : has('fault')
        ? 'the start of the fault'
        : 'the setup of the callers',
    log: parts.unit === 'ms' && greatest / Math.max(least, MIN_LOG) > LOG_FROM,
    bands: spans
      .filter((span) => span.fromMs <= toMs && span.toMs >= fromMs)
      .map(({ kind, ...span }) => ({
        kind,
        fromMs: Math.max(span.fromMs, fromMs),
        toMs: Math.min(span.toMs, toMs),
      })),
    marks: detections
      .map(({ at, kind }) => ({ atMs: at - originMs, text: kind }))
      .filter(({ atMs }) => atMs >= fromMs && atMs <= toMs),
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

/**
 * Combines several series: at each time of any of them, `join` of the interpolated values. Evidence is thinned out so
 * that lines between its points stay true.
 */
function combined(
  all: readonly (readonly PlotPoint[])[],
  join: (values: readonly number[]) => number = sumOf,
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
    return between(before, after, atMs);
  };
}

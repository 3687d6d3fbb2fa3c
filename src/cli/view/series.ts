/** The charts for the evidence of a run: drift, and admitted requests. Pure. */
import type { RunEvidence, ScenarioEvidence, Signal } from '../../evidence/index.ts';
import { type Chart, type Point, short } from './chart.ts';

/**
 * At most two: the drift of the counters, and admitted requests against the limit; of the latest scenario that has it.
 */
export function chartsOf({ scenarios }: RunEvidence): Chart[] {
  const latest = scenarios.toReversed();
  const drift = latest.map(driftChart).find((chart) => chart !== undefined);
  const admitted = latest.map(admittedChart).find((chart) => chart !== undefined);
  if (!drift || !admitted || drift.scenario !== admitted.scenario) {
    return [drift, admitted].filter((chart) => chart !== undefined);
  }
  // Side by side, simultaneous events line up.
  const span = {
    fromMs: Math.min(drift.fromMs, admitted.fromMs),
    toMs: Math.max(drift.toMs, admitted.toMs),
  };
  return [drift, admitted].map((chart) => ({ ...chart, ...span }));
}

interface ScenarioChart extends Chart {
  readonly scenario: string;
}

/**
 * Requests admitted by the replicas minus the count in the store, if the invariant is about that. Otherwise the two are
 * read at different times, and a difference would mostly show that.
 */
function driftChart(scenario: ScenarioEvidence): ScenarioChart | undefined {
  if (!isDrift(scenario)) return undefined;
  const local = pointsOf(scenario, 'requests-admitted');
  const stored = pointsOf(scenario, 'count-stored');
  if (local.length === 0 || stored.length === 0) return undefined;
  const points = combined([...local, ...stored], (values) =>
    values.reduce((sum, value, i) => sum + (i < local.length ? value : -value), 0),
  );
  const bound = scenario.bundle.invariant?.values.find(({ name }) => name === 'bound')?.value;
  return chart(scenario, {
    what: 'Drift',
    points,
    bound: bound === undefined ? [] : [[0, bound]],
    holds: false,
  });
}

function isDrift({ bundle: { invariant } }: ScenarioEvidence): boolean {
  return invariant?.formula.includes('count-stored') ?? false;
}

/** The requests admitted so far by all replicas together. */
function admittedChart(scenario: ScenarioEvidence): ScenarioChart | undefined {
  const admitted = pointsOf(scenario, 'requests-admitted');
  if (admitted.length === 0) return undefined;
  const points = combined(admitted, (values) => values.reduce((sum, value) => sum + value, 0));
  return chart(scenario, {
    what: 'Admitted',
    points,
    bound: pointsOf(scenario, 'limit').at(-1) ?? [],
    holds: true,
  });
}

function chart(
  { bands, bundleAtMs, name }: ScenarioEvidence,
  { bound, holds, points, what }: Pick<Chart, 'bound' | 'holds' | 'points'> & { readonly what: string },
): ScenarioChart | undefined {
  const [first, last, most] = [points[0], points.at(-1), bound.at(-1)];
  if (!first || !last) return undefined;
  const spans = bands.map(({ fromMs, kind, toMs }) => ({
    name: kind,
    fromMs: fromMs - bundleAtMs,
    toMs: toMs === undefined ? undefined : toMs - bundleAtMs,
  }));
  // For a burst, show only the bursts; a series is of one of them.
  const bursts = spans.filter(
    ({ fromMs, name: kind, toMs }) => kind === 'burst' && fromMs <= last[0] && (toMs ?? last[0]) >= first[0],
  );
  const faults = bursts.length > 0 ? bursts : spans.filter(({ name: kind }) => kind === 'fault');
  const ends = faults.flatMap(({ fromMs, toMs }) => [fromMs, toMs ?? fromMs]);
  const [fromMs, toMs] = [Math.min(first[0], ...ends), Math.max(last[0], ...ends)];
  // So that milliseconds do not fill a chart as an outage does.
  const room = bursts.length > 0 ? Math.max(5, (toMs - fromMs) / 2) : 0;
  return {
    scenario: name,
    holds,
    title: `${what} (${name})`,
    figures: most === undefined ? '' : `${holds ? 'limit' : 'bound'} ${short(most[1])}`,
    points,
    bound,
    faults,
    fromMs: fromMs - room,
    toMs: toMs + room,
  };
}

/** The points of a signal, for each component that has it. */
export function pointsOf({ bundle }: ScenarioEvidence, signal: Signal): (readonly Point[])[] {
  return bundle.series.filter((series) => series.signal === signal).map(({ points }) => points);
}

/**
 * Combines several series: at each time of any of them, `join` of the interpolated values. Evidence is thinned out so
 * that lines between its points stay true.
 */
export function combined(
  all: readonly (readonly Point[])[],
  join: (values: readonly number[]) => number,
): readonly Point[] {
  const moments = [...new Set(all.flatMap((points) => points.map(([atMs]) => atMs)))].toSorted(
    (a, b) => a - b,
  );
  const readers = all.map(readerOf);
  return moments.map((atMs): Point => [atMs, join(readers.map((read) => read(atMs)))]);
}

/** Reads a count at ascending times: 0 before its first point, and its last value after the end. */
function readerOf(points: readonly Point[]): (atMs: number) => number {
  let next = 0;
  return (atMs) => {
    while (next < points.length && (points[next]?.[0] ?? 0) <= atMs) next++;
    const [before, after] = [points[next - 1], points[next]];
    if (!before) return 0;
    if (!after) return before[1];
    return before[1] + ((after[1] - before[1]) * (atMs - before[0])) / (after[0] - before[0]);
  };
}

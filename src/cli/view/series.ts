/** Which charts the evidence of a run gives: drift, and what callers were allowed. Pure. */
import type { RunEvidence, ScenarioEvidence, Signal } from '../../evidence/index.ts';
import { type Chart, type Point, short } from './chart.ts';

/** At most two: the drift of the counters, and what was allowed against the limit; of the latest scenario that has it. */
export function chartsOf({ scenarios }: RunEvidence): Chart[] {
  const latest = scenarios.toReversed();
  const drift = latest.map(driftChart).find((chart) => chart !== undefined);
  const allowed = latest.map(allowedChart).find((chart) => chart !== undefined);
  return [drift, allowed].filter((chart) => chart !== undefined);
}

/** What the replicas admitted beyond what the store holds. */
function driftChart(scenario: ScenarioEvidence): Chart | undefined {
  const local = pointsOf(scenario, 'count-local');
  const stored = pointsOf(scenario, 'count-stored');
  if (local.length === 0 || stored.length === 0) return undefined;
  const points = combined([...local, ...stored], (values) =>
    values.reduce((sum, value, i) => sum + (i < local.length ? value : -value), 0),
  );
  const bound = scenario.bundle.invariant?.values.find(({ name }) => name === 'allowed')?.value;
  return chart(scenario, 'Drift: admitted and not counted', points, isDrift(scenario) ? bound : undefined);
}

function isDrift({ bundle: { invariant } }: ScenarioEvidence): boolean {
  return invariant?.formula.includes('count-stored') ?? false;
}

/** What all replicas together have allowed so far. */
function allowedChart(scenario: ScenarioEvidence): Chart | undefined {
  const allowed = pointsOf(scenario, 'requests-allowed');
  if (allowed.length === 0) return undefined;
  const points = combined(allowed, (values) => values.reduce((sum, value) => sum + value, 0));
  const limit = pointsOf(scenario, 'limit').at(-1)?.at(-1)?.[1];
  return chart(scenario, 'Allowed, against the limit', points, limit);
}

function chart(
  { bands, bundleAtMs, name }: ScenarioEvidence,
  what: string,
  points: readonly Point[],
  bound: number | undefined,
): Chart | undefined {
  const [first, last] = [points[0], points.at(-1)];
  if (!first || !last) return undefined;
  const faults = bands
    .filter(({ kind }) => kind === 'fault' || kind === 'burst')
    .map(({ fromMs, toMs }) => ({
      fromMs: fromMs - bundleAtMs,
      toMs: toMs === undefined ? undefined : toMs - bundleAtMs,
    }));
  const ends = faults.flatMap(({ fromMs, toMs }) => [fromMs, toMs ?? fromMs]);
  const most = Math.max(...points.map(([, value]) => value));
  return {
    title: `${what} (${name})`,
    latest: `now ${short(last[1])}, most ${short(most)}`,
    points,
    bound,
    faults,
    fromMs: Math.min(first[0], ...ends),
    toMs: Math.max(last[0], ...ends),
  };
}

/** The points of a signal, for each component that has it. */
function pointsOf({ bundle }: ScenarioEvidence, signal: Signal): (readonly Point[])[] {
  return bundle.series.filter((series) => series.signal === signal).map(({ points }) => points);
}

/**
 * Counters are read one after the other, ten times a second: what was read within so many milliseconds is one
 * sample, and in the midst of it they do not go together.
 */
const SAMPLE_MS = 40;

/** One series of several: after each sample what `join` makes of the values that hold then, 0 before the first. */
function combined(
  all: readonly (readonly Point[])[],
  join: (values: readonly number[]) => number,
): readonly Point[] {
  const events = all
    .flatMap((points, series) => points.map(([atMs, value]) => ({ atMs, series, value })))
    .toSorted((a, b) => a.atMs - b.atMs);
  const values = all.map(() => 0);
  const points: Point[] = [];
  for (const [i, { atMs, series, value }] of events.entries()) {
    values[series] = value;
    const next = events[i + 1]?.atMs ?? Number.POSITIVE_INFINITY;
    if (next - atMs > SAMPLE_MS) points.push([atMs, join(values)]);
  }
  return points;
}

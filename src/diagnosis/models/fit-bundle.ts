/**
 * Makes a bundle as small as a model can read: first with fewer points a series, then with fewer events, at last
 * with fewer series. What is left is a bundle as well, with the same ids. Pure.
 */
import type { EvidenceBundle, EvidenceSeries } from '../../evidence/index.ts';

type Point = EvidenceSeries['points'][number];

/** Most points a series and most events, from all that there may be to the least that still tells a story. */
const STEPS: readonly { readonly points: number; readonly events: number }[] = [
  { points: 64, events: 200 },
  { points: 32, events: 100 },
  { points: 20, events: 60 },
  { points: 12, events: 40 },
  { points: 8, events: 24 },
  { points: 5, events: 16 },
  { points: 3, events: 10 },
  { points: 2, events: 6 },
];

/**
 * The fullest bundle for which `fits` says yes. Where not even two points a series fit, the series that change
 * least go first, then all events; undefined where components and invariant alone are too much.
 */
export function fitBundle(
  bundle: EvidenceBundle,
  fits: (bundle: EvidenceBundle) => boolean,
): EvidenceBundle | undefined {
  for (const { points, events } of STEPS) {
    const thinner = thinned(bundle, points, events);
    if (fits(thinner)) return thinner;
  }
  const least = thinned(bundle, 2, 6);
  const byChange = bundle.series
    .toSorted((a, b) => changeOf(b.points) - changeOf(a.points))
    .map(({ id }) => id);
  for (const events of [least.events, []]) {
    // The most series that fit, found by halves.
    let [fit, tooMany] = [-1, byChange.length + 1];
    while (tooMany - fit > 1) {
      const some = Math.floor((fit + tooMany) / 2);
      if (fits(withSeries({ ...least, events }, byChange.slice(0, some)))) fit = some;
      else tooMany = some;
    }
    if (fit > 0) return withSeries({ ...least, events }, byChange.slice(0, fit));
  }
  const bare = { ...least, series: [], events: [] };
  return fits(bare) ? bare : undefined;
}

function thinned(bundle: EvidenceBundle, points: number, events: number): EvidenceBundle {
  return {
    ...bundle,
    series: bundle.series.map((series) => ({ ...series, points: thinPoints(series.points, points) })),
    events: firstAndLast(bundle.events, events),
  };
}

/** Causes come first and outcomes last: what lies in between goes. */
function firstAndLast<T>(items: readonly T[], most: number): T[] {
  const last = Math.floor(most / 2);
  return items.length <= most ? [...items] : [...items.slice(0, most - last), ...items.slice(-last)];
}

function withSeries(bundle: EvidenceBundle, ids: readonly string[]): EvidenceBundle {
  const kept = new Set(ids);
  return { ...bundle, series: bundle.series.filter(({ id }) => kept.has(id)) };
}

/** By how much a series changes, against its own size: 0 for one that stands still, at most 1. */
function changeOf(points: readonly Point[]): number {
  const values = points.map(([, value]) => value);
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const size = Math.max(Math.abs(least), Math.abs(most));
  return size === 0 ? 0 : Math.min(1, (most - least) / size);
}

/**
 * So many of the points of a series (2 or more) that its line keeps its shape: first and last, and of each
 * stretch between them the one that stands out most from its neighbours (largest triangle, three buckets;
 * Steinarsson, "Downsampling Time Series for Visual Representation", 2013).
 */
export function thinPoints(points: readonly Point[], most: number): Point[] {
  const [first, last] = [points[0], points.at(-1)];
  if (points.length <= most || first === undefined || last === undefined) return [...points];
  const kept = [first];
  const width = (points.length - 2) / (most - 2);
  for (let i = 0; i < most - 2; i += 1) {
    const stretch = points.slice(1 + Math.floor(i * width), 1 + Math.floor((i + 1) * width));
    const next = points.slice(1 + Math.floor((i + 1) * width), 1 + Math.floor((i + 2) * width));
    const before = kept.at(-1) ?? first;
    const after = next.length > 0 && i < most - 3 ? meanOf(next) : last;
    const areas = stretch.map((point) => areaOf(before, point, after));
    kept.push(stretch[areas.indexOf(Math.max(...areas))] ?? first);
  }
  return [...kept, last];
}

function meanOf(points: readonly Point[]): Point {
  const sum = points.reduce(([t, v], [atMs, value]): Point => [t + atMs, v + value], [0, 0]);
  return [sum[0] / points.length, sum[1] / points.length];
}

function areaOf([t1, v1]: Point, [t2, v2]: Point, [t3, v3]: Point): number {
  return Math.abs((t1 - t3) * (v2 - v1) - (t1 - t2) * (v3 - v1));
}

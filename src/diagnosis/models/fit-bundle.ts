/**
 * Shrinks a bundle to what a model can read: first fewer points per series, then fewer events, finally fewer series.
 * The result is a bundle as well, with the same ids. Pure.
 */
import { type EvidenceBundle, MIN_POINTS, type Point, thin } from '../../evidence/index.ts';

/** Maximum points per series, from the full bundle to the least that is still useful. */
const STEPS = [64, 32, 20, 12, 8, MIN_POINTS];
/** Maximum events for each of these points. */
const EVENTS_A_POINT = 3;

/**
 * The fullest bundle that satisfies `fits`. If not even the landmarks of each series fit, the series that change least
 * are dropped first, then all events; undefined if components and invariant are too much on their own.
 */
export function fitBundle(
  bundle: EvidenceBundle,
  fits: (bundle: EvidenceBundle) => boolean,
): EvidenceBundle | undefined {
  const bare = { ...bundle, series: [], events: [] };
  if (!fits(bare)) return undefined;
  for (const points of STEPS) {
    const thinner = thinned(bundle, points);
    if (fits(thinner)) return thinner;
  }
  const least = thinned(bundle, MIN_POINTS);
  const byChange = bundle.series
    .toSorted((a, b) => changeOf(b.points) - changeOf(a.points))
    .map(({ id }) => id);
  for (const events of [least.events, []]) {
    // Binary search for the most series that fit.
    let [fit, tooMany] = [-1, byChange.length + 1];
    while (tooMany - fit > 1) {
      const some = Math.floor((fit + tooMany) / 2);
      if (fits(withSeries({ ...least, events }, byChange.slice(0, some)))) fit = some;
      else tooMany = some;
    }
    if (fit > 0) return withSeries({ ...least, events }, byChange.slice(0, fit));
  }
  return bare;
}

function thinned(bundle: EvidenceBundle, points: number): EvidenceBundle {
  return {
    ...bundle,
    series: bundle.series.map((series) => ({
      ...series,
      points: thin(series.points, points).map(([at, value]): [number, number] => [at, value]),
    })),
    events: firstAndLast(bundle.events, EVENTS_A_POINT * points),
  };
}

/** Causes come first and outcomes last: drop the middle. */
function firstAndLast<T>(items: readonly T[], most: number): T[] {
  const last = Math.floor(most / 2);
  return items.length <= most ? [...items] : [...items.slice(0, most - last), ...items.slice(-last)];
}

function withSeries(bundle: EvidenceBundle, ids: readonly string[]): EvidenceBundle {
  const kept = new Set(ids);
  return { ...bundle, series: bundle.series.filter(({ id }) => kept.has(id)) };
}

/** By how much a series changes, relative to its own size: 0 for a constant one, at most 1. */
function changeOf(points: readonly Point[]): number {
  const values = points.map(([, value]) => value);
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const size = Math.max(Math.abs(least), Math.abs(most));
  return size === 0 ? 0 : Math.min(1, (most - least) / size);
}

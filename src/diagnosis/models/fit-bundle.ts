/**
 * Shrinks a bundle to what a model can read: first fewer points and events, finally fewer series. The result is a bundle
 * as well, with the same ids. Pure.
 */
import { type EvidenceBundle, MIN_POINTS, type Point, thinned } from '../../evidence/index.ts';

/** Maximum points per series, from the full bundle to the least that is still useful. */
const STEPS = [64, 32, 20, 12, 8, MIN_POINTS];
/** Maximum events for each of these points, and for each series if some of them are dropped. */
const EVENTS_EACH = 3;

/**
 * The fullest bundle that satisfies `fits`. If not even the landmarks of each series fit, half of the series are dropped
 * again and again, those that change least first; undefined if components and invariant are too much on their own.
 */
export function fitBundle(
  bundle: EvidenceBundle,
  fits: (bundle: EvidenceBundle) => boolean,
): EvidenceBundle | undefined {
  const bare = { ...bundle, series: [], events: [] };
  if (!fits(bare)) return undefined;
  for (const points of STEPS) {
    const { series } = thinned(bundle, points * bundle.series.length);
    const thinner = { ...bundle, series, events: firstAndLast(bundle.events, EVENTS_EACH * points) };
    if (fits(thinner)) return thinner;
  }
  const least = thinned(bundle, MIN_POINTS * bundle.series.length).series;
  const byChange = least.toSorted((a, b) => changeOf(b.points) - changeOf(a.points));
  for (let most = Math.floor(least.length / 2); most > 0; most = Math.floor(most / 2)) {
    const kept = new Set(byChange.slice(0, most));
    const events = firstAndLast(bundle.events, EVENTS_EACH * most);
    const fewer = { ...bundle, series: least.filter((series) => kept.has(series)), events };
    if (fits(fewer)) return fewer;
  }
  return bare;
}

/** Causes come first and outcomes last: drop the middle. */
function firstAndLast<T>(items: readonly T[], most: number): T[] {
  const last = Math.floor(most / 2);
  return items.length <= most ? [...items] : [...items.slice(0, most - last), ...items.slice(-last)];
}

/** By how much a series changes, relative to its own size: 0 for a constant one, at most 1. */
function changeOf(points: readonly Point[]): number {
  const values = points.map(([, value]) => value);
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const size = Math.max(Math.abs(least), Math.abs(most));
  return size === 0 ? 0 : Math.min(1, (most - least) / size);
}

/** Thins series out but keeps their shape: their ends, their extremes, and where they change. Pure. */
import type { EvidenceBundle } from './bundle.ts';

/** A time, and the value observed then. */
export type Point = readonly [atMs: number, value: number];

/** First, last, lowest, highest, and both ends of the largest step: the minimum number of points. */
export const MIN_POINTS = 6;

/**
 * At most `most` of the points ({@link MIN_POINTS} if `most` is less), sorted as given. First and last stay, the
 * lowest and the highest, and both ends of the largest step; then those with the largest error if a line were drawn
 * through the rest. Points that lie on that line are left out whatever `most` is.
 */
export function thin(points: readonly Point[], most: number): readonly Point[] {
  const room = Math.max(MIN_POINTS, most);
  if (points.length <= room) return points;
  const kept = new Set(landmarks(points));
  const ends = [...kept].sort((a, b) => a - b);
  const gaps = ends.slice(1).map((to, i) => gapOf(points, ends[i] ?? 0, to));
  while (kept.size < room) {
    const widest = gaps.reduce((most, gap, i) => (gap.apart > (gaps[most]?.apart ?? 0) ? i : most), 0);
    const gap = gaps[widest];
    if (!gap || gap.apart === 0) break;
    kept.add(gap.at);
    gaps.splice(widest, 1, gapOf(points, gap.from, gap.at), gapOf(points, gap.at, gap.to));
  }
  return points.filter((_, i) => kept.has(i));
}

/** Thins the series of a bundle out to `points` points in all; short series leave their share to longer ones. */
export function thinned(bundle: EvidenceBundle, points: number): EvidenceBundle {
  const lengths = bundle.series.map((series) => series.points.length);
  if (lengths.reduce((sum, length) => sum + length, 0) <= points) return bundle;
  const share = shareOf(lengths, points);
  const series = bundle.series.map((one) => ({
    ...one,
    points: thin(one.points, share).map(([at, value]): [number, number] => [at, value]),
  }));
  return { ...bundle, series };
}

/** The maximum for each, so that all together have no more than `total`. */
function shareOf(lengths: readonly number[], total: number): number {
  let left = total;
  let waiting = lengths.length;
  for (const length of lengths.toSorted((a, b) => a - b)) {
    if (length * waiting > left) return Math.max(MIN_POINTS, Math.floor(left / waiting));
    left -= length;
    waiting -= 1;
  }
  return total;
}

function landmarks(points: readonly Point[]): number[] {
  const valueAt = (i: number): number => points[i]?.[1] ?? 0;
  let [lowest, highest, step, height] = [0, 0, 1, -1];
  for (let i = 0; i < points.length; i += 1) {
    if (valueAt(i) < valueAt(lowest)) lowest = i;
    if (valueAt(i) > valueAt(highest)) highest = i;
    const rise = i === 0 ? -1 : Math.abs(valueAt(i) - valueAt(i - 1));
    if (rise > height) [step, height] = [i, rise];
  }
  return [0, points.length - 1, lowest, highest, step - 1, step];
}

/** The point between both that is furthest from the straight line between them, and its distance. */
function gapOf(points: readonly Point[], from: number, to: number) {
  const [start, first] = points[from] ?? [0, 0];
  const [end, last] = points[to] ?? [0, 0];
  const slope = end > start ? (last - first) / (end - start) : 0;
  // Without a time difference there is no slope: use their mean.
  const base = end > start ? first : (first + last) / 2;
  let [at, apart] = [from, 0];
  for (let i = from + 1; i < to; i += 1) {
    const [time, value] = points[i] ?? [0, 0];
    const off = Math.abs(value - (base + slope * (time - start)));
    if (off > apart) [at, apart] = [i, off];
  }
  return { from, to, at, apart };
}

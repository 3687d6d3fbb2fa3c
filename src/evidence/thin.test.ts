import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { EvidenceBundle } from './bundle.ts';
import { MIN_POINTS, type Point, thin, thinned } from './thin.ts';

/** In order of time, some of them at the same moment. */
const series = (maxLength: number): fc.Arbitrary<Point[]> =>
  fc
    .array(fc.tuple(fc.nat(50), fc.integer({ min: -1000, max: 1000 })), { minLength: 1, maxLength })
    .map((steps) => {
      let at = 0;
      return steps.map(([after, value]): Point => {
        at += after;
        return [at, value];
      });
    });

const values = (points: readonly Point[]): number[] => points.map(([, value]) => value);
const largestStep = (points: readonly Point[]): number =>
  Math.max(0, ...points.slice(1).map(([, value], i) => Math.abs(value - (points[i]?.[1] ?? 0))));

describe('thin', () => {
  it('thinning keeps ends, extremes and the largest step, in order, within the bound', () => {
    fc.assert(
      fc.property(series(200), fc.integer({ min: 0, max: 60 }), (points, most) => {
        const kept = thin(points, most);
        expect(kept.length).toBeLessThanOrEqual(Math.max(most, MIN_POINTS));
        let at = -1;
        for (const point of kept) {
          at = points.indexOf(point, at + 1);
          expect(at).toBeGreaterThanOrEqual(0);
        }
        expect([kept[0], kept.at(-1)]).toEqual([points[0], points.at(-1)]);
        expect(Math.max(...values(kept))).toBe(Math.max(...values(points)));
        expect(Math.min(...values(kept))).toBe(Math.min(...values(points)));
        expect(largestStep(kept)).toBeGreaterThanOrEqual(largestStep(points));
      }),
    );
  });

  it('does not thin a series that is short enough', () => {
    fc.assert(
      fc.property(series(30), (points) => {
        expect(thin(points, 30)).toEqual(points);
      }),
    );
  });

  it('keeps a spike that lies between two quiet stretches, whatever goes on before it', () => {
    const noisy = Array.from({ length: 200 }, (_, i): Point => [i, i % 2]);
    const points: Point[] = [
      ...noisy,
      [300, 0],
      [301, 900],
      [302, 0],
      ...noisy.map(([at]): Point => [at + 400, 0]),
    ];
    expect(thin(points, 20)).toEqual(
      expect.arrayContaining([
        [301, 900],
        [302, 0],
      ]),
    );
  });
});

const bundleOf = (lengths: readonly number[]): EvidenceBundle => ({
  version: 'evidence/v2',
  components: [{ name: 'store', role: 'store' }],
  series: lengths.map((length, i) => ({
    id: `s${i + 1}`,
    component: 'store',
    signal: 'read-latency',
    points: Array.from({ length }, (_, at): [number, number] => [at, (at * 7919) % 101]),
  })),
  events: [],
});

it('thinned has at most the requested points, and removes them from the long series', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 80 }), { maxLength: 12 }),
      fc.integer({ min: 100, max: 400 }),
      (lengths, most) => {
        const { series } = thinned(bundleOf(lengths), most);
        expect(series.reduce((sum, { points }) => sum + points.length, 0)).toBeLessThanOrEqual(most);
        const shortest = Math.min(...lengths);
        if (shortest * lengths.length <= most && lengths.length > 0) {
          expect(series[lengths.indexOf(shortest)]?.points).toHaveLength(shortest);
        }
      },
    ),
  );
});

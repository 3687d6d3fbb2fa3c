import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bundleOf } from '../../../test/fixtures/diagnosis/bundle.ts';
import { evidenceBundle } from '../../evidence/index.ts';
import { fitBundle } from './fit-bundle.ts';

const pointsOf = (count: number, value: (i: number) => number): [number, number][] =>
  Array.from({ length: count }, (_, i) => [i * 100, value(i)]);

const bundle = bundleOf({
  parts: [
    ['store', 'write-latency', pointsOf(200, (i) => (i === 77 ? 900 : 1))],
    ['store', 'read-latency', pointsOf(200, () => 1)],
    ['replica-1', 'count-local', pointsOf(200, (i) => i)],
    ...Array.from({ length: 50 }, (_, i) => ['store', `what was seen ${i + 1}`, i * 10] as const),
  ],
});

const sizeOf = (value: unknown): number => JSON.stringify(value).length;

describe('a bundle that has to fit', () => {
  it('keeps its outlier, its first and its last point, its first and its last event', () => {
    const fitted = fitBundle(bundle, (candidate) => sizeOf(candidate) < 3200);
    const [writes] = fitted?.series ?? [];
    expect(fitted?.series).toHaveLength(3);
    expect(writes?.points.length).toBeLessThan(40);
    expect(writes?.points).toContainEqual([7700, 900]);
    expect(writes?.points[0]).toEqual([0, 1]);
    expect(writes?.points.at(-1)).toEqual([19_900, 1]);
    expect(fitted?.events[0]?.id).toBe('e1');
    expect(fitted?.events.at(-1)?.id).toBe('e50');
  });

  it('is none if not even the components fit', () => {
    expect(fitBundle(bundle, () => false)).toBeUndefined();
  });

  it('a shortened bundle is valid, bounded, and adds no point or event', () => {
    const whole = new Map(bundle.series.map(({ id, points }) => [id, new Set(points.map(String))]));
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 25_000 }), (most) => {
        const fitted = fitBundle(bundle, (candidate) => sizeOf(candidate) <= most);
        if (fitted === undefined) return;
        expect(evidenceBundle.safeParse(fitted).success).toBe(true);
        expect(sizeOf(fitted)).toBeLessThanOrEqual(most);
        for (const { id, points } of fitted.series) {
          for (const point of points) expect(whole.get(id)?.has(String(point))).toBe(true);
        }
      }),
    );
  });
});

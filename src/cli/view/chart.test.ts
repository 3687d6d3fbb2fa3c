import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PlotPoint as Point } from '../report/plot.ts';
import { type Chart, chartLines, short } from './chart.ts';
import { render, widthOf } from './line.ts';

const chart = (points: readonly Point[], changes: Partial<Chart> = {}): Chart => ({
  holds: false,
  scenario: 'burst',
  title: 'Drift',
  figures: 'most 10',
  points,
  bound: [],
  faults: [],
  fromMs: 0,
  toMs: 100,
  ...changes,
});

const plain = (made: Chart, width: number, height: number): string[] =>
  chartLines(made, width, height).map((line) => render(line, { color: false, columns: width }));

describe('a chart', () => {
  it('shows a rise over its time, the bound, and when the fault was on', () => {
    const rise = chart(
      [
        [0, 0],
        [100, 10],
      ],
      { bound: [[0, 5]], faults: [{ kind: 'fault', fromMs: 50, toMs: 100 }] },
    );
    expect(plain(rise, 16, 7).slice(0, -1)).toEqual([
      'Drift    most 10',
      '  10 │       ⢀⡴⠊',
      '     │    ⢀⣠⠞⠉',
      '   5 │┈┈⣠⠴⠋┈┈┈┈┈',
      '   0 │⡴⠚⠁',
      '     └─────▀▀▀▀▀',
    ]);
  });

  it('fits, whatever it is given', () => {
    const point = fc.tuple(
      fc.double({ min: -1e6, max: 1e6, noNaN: true }),
      fc.double({ min: -10, max: 1e9, noNaN: true }),
    );
    const faults = [{ kind: 'fault', fromMs: -5e5, toMs: 1e6 }];
    fc.assert(
      fc.property(
        fc.array(point, { maxLength: 50 }),
        fc.integer({ min: 0, max: 120 }),
        fc.integer({ min: 0, max: 20 }),
        (points, width, height) => {
          const ordered = points.toSorted(([a], [b]) => a - b);
          const lines = chartLines(
            chart(ordered, { fromMs: -1e6, toMs: 1e6, bound: [[0, 7]], faults }),
            width,
            height,
          );
          expect(lines.length).toBeLessThanOrEqual(Math.max(0, height));
          for (const line of lines) expect(widthOf(line)).toBeLessThanOrEqual(width);
        },
      ),
    );
  });

  it.each([
    [0, '0'],
    [3.14, '3.1'],
    [9999, '9999'],
    [12_345, '12k'],
    [1_234_567, '1M'],
  ])('writes %d as %s', (value, text) => {
    expect(short(value)).toBe(text);
  });
});

import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { recordedRun } from '../../../test/fixtures/cli/report/report.ts';
import { evidenceOfRun } from '../../../test/fixtures/cli/view/status.ts';
import type { Plot, PlotPoint } from '../report/plot.ts';
import { chartLines, chartsOf, short } from './chart.ts';
import { render, widthOf } from './line.ts';

const plot = (points: readonly PlotPoint[], changes: Partial<Plot> = {}): Plot => ({
  key: 'answers',
  title: 'Admitted requests',
  about: '',
  unit: 'requests',
  since: 'the start of the fault',
  log: false,
  lines: [{ name: 'admitted', colour: 0, points }],
  bands: [],
  marks: [],
  fromMs: 0,
  toMs: 100,
  ...changes,
});

const plain = (made: Plot, width: number, height: number): string[] =>
  chartLines(made, width, height).map((line) => render(line, { color: false, columns: width }));

describe('a chart', () => {
  it('shows a rise over its time, the bound, and when the fault was on', () => {
    const rise = plot(
      [
        [0, 0],
        [100, 10],
      ],
      { bound: { text: 'limit 5', value: 5 }, bands: [{ kind: 'fault', fromMs: 50, toMs: 100 }] },
    );
    expect(plain(rise, 16, 7).slice(0, -1)).toEqual([
      'Admitted limit 5',
      '  10 │       ⢀⡴⠊',
      '     │    ⢀⣠⠞⠉',
      '   5 │┈┈⣠⠴⠋┈┈┈┈┈',
      '   0 │⡴⠚⠁',
      '     └─────▀▀▀▀▀',
    ]);
  });

  it('shows the most of what callers got, without the limit if that is no admission', () => {
    const lines = [
      { name: 'not answered, of all callers', colour: 2, points: [[100, 30]] },
      { name: 'admitted', colour: 0, points: [[100, 10]] },
    ] as const;
    const [title, top, ...rest] = plain(plot([], { lines, bound: { text: 'limit 10', value: 10 } }), 90, 7);
    expect(title).toMatch(/^Not answered, of all callers {2,}limit 10, admitted 10$/);
    expect([top, rest.join('').includes('┈')]).toEqual([expect.stringContaining('  30 │'), false]);
  });

  it('fits, whatever it is given', () => {
    const point = fc.tuple(
      fc.double({ min: -1e6, max: 1e6, noNaN: true }),
      fc.double({ min: -10, max: 1e9, noNaN: true }),
    );
    const bands = [{ kind: 'fault', fromMs: -5e5, toMs: 1e6 }];
    const bound = { text: 'limit 7', value: 7 };
    fc.assert(
      fc.property(
        fc.array(point, { maxLength: 50 }),
        fc.integer({ min: 0, max: 120 }),
        fc.integer({ min: 0, max: 20 }),
        (points, width, height) => {
          const ordered = points.toSorted(([a], [b]) => a - b);
          const made = plot(ordered, { fromMs: -1e6, toMs: 1e6, bound, bands });
          const lines = chartLines(made, width, height);
          expect(lines.length).toBeLessThanOrEqual(Math.max(0, height));
          for (const line of lines) expect(widthOf(line)).toBeLessThanOrEqual(width);
        },
      ),
    );
  });

  it.each([
    [0, '0'],
    [3.14, '3.1'],
    [12_345, '12k'],
    [1_234_567, '1M'],
  ])('writes %d as %s', (value, text) => {
    expect(short(value)).toBe(text);
  });
});

describe('the charts of a run', () => {
  it('show the counts of pods against the store, and requests against the limit', () => {
    const charts = chartsOf(evidenceOfRun());
    expect(charts?.scenario).toBe('counter-drift');
    const titles = charts?.plots.map((one) => plain(one, 60, 8)[0]?.split(/ {2,}/));
    expect(titles).toEqual([
      ['Counted', 'the store holds 40'],
      ['Admitted', 'limit 10'],
    ]);
  });

  it('show the scenario that began last, in whatever sequence the spec has it', () => {
    const evidence = recordedRun().evidence;
    const [first] = evidence.scenarios;
    if (!first) throw new Error('there is no evidence');
    const later = { ...first, name: 'later', originMs: first.originMs + 3_600_000 };
    expect(chartsOf({ ...evidence, scenarios: [later, ...evidence.scenarios] })?.scenario).toBe('later');
  });

  it('show a burst of milliseconds as that, and not as an outage', () => {
    const admitted = chartsOf(recordedRun().evidence)?.plots.find(({ key }) => key === 'answers');
    const { fromMs = 0, toMs = 0 } = admitted ?? {};
    expect(toMs - fromMs).toBeLessThan(500);
    expect(admitted && plain(admitted, 60, 8).at(-1)).toContain('▀ burst');
  });
});

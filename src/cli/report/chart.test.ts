import { describe, expect, it } from 'vitest';
import { chartSvg } from './chart.ts';
import type { Plot, PlotLine } from './plot.ts';

const SIZE = { width: 660, height: 280 };
/** Pixels between the edges of the drawing of values. */
const [TOP, BOTTOM] = [24, 236];

const rising: PlotLine = {
  name: 'all pods together',
  colour: 0,
  points: [
    [0, 0],
    [10_000, 30],
  ],
  joined: 'all',
};
const plot = (changes: Partial<Plot> = {}): Plot => ({
  key: 'counts',
  title: 'Counts',
  about: '',
  unit: 'requests',
  since: 'the start of the fault',
  log: false,
  fromMs: 0,
  toMs: 10_000,
  lines: [rising],
  bands: [],
  marks: [],
  cites: [],
  ...changes,
});
const draw = (changes: Partial<Plot> = {}): string => chartSvg(plot(changes), SIZE, 'c1-');

/** The highest place of the lines of this colour, in pixels from the top. */
function topOf(svg: string, colour: string): number {
  const paths =
    svg.match(/<path [^>]*>/g)?.filter((path) => path.includes(`stroke="var(--${colour})"`)) ?? [];
  const ys = paths.flatMap((path) =>
    [...(/ d="([^"]*)"/.exec(path)?.[1] ?? '').matchAll(/[ML ]?(-?[\d.]+) (-?[\d.]+)/g)].map(([, , y]) =>
      Number(y),
    ),
  );
  expect(ys.length).toBeGreaterThan(0);
  return Math.min(...ys);
}

describe('the drawing of a plot', () => {
  it('has room above its highest value, and above its bound', () => {
    const least = TOP + 0.08 * (BOTTOM - TOP);
    expect(topOf(draw(), 'line-0')).toBeGreaterThan(least);
    expect(topOf(draw({ bound: { text: 'limit 60', value: 60 } }), 'text')).toBeGreaterThan(least);
    const waits = { ...rising, points: [[0, 1] as const, [10_000, 9990] as const] };
    expect(topOf(draw({ log: true, unit: 'ms', lines: [waits] }), 'line-0')).toBeGreaterThan(TOP + 8);
  });

  it('marks moments with a thin line, and two that are one to the eye with one', () => {
    const marks = [
      { atMs: 5000, text: 'broken' },
      { atMs: 5020, text: 'detected' },
    ];
    const thin = (svg: string) => svg.match(/stroke="var\(--text\)" stroke-width="0.75"/g) ?? [];
    expect(thin(draw({ marks }))).toHaveLength(1);
    expect(draw({ marks })).toContain('broken, detected');
    expect(thin(draw({ marks: marks.map((mark, i) => ({ ...mark, atMs: 1000 + 4000 * i })) }))).toHaveLength(
      2,
    );
  });

  it('cites lines that lie on each other by a dot each, and one label', () => {
    const cites = ['s4', 's5', 's6'].map((id, i) => ({ id, atMs: 4000 + i, value: 10 }));
    const svg = draw({ cites });
    expect(svg).toContain('>s4 s5 s6</text>');
    for (const { id } of cites) expect(svg).toContain(`fill="var(--cite-c1-${id},var(--text))"`);
  });
});

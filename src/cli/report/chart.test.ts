import { describe, expect, it } from 'vitest';
import { chartSvg } from './chart.ts';
import type { Plot, PlotLine } from './plot.ts';

const SIZE = { width: 660, height: 280 };

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

describe('the drawing of a plot', () => {
  it('cites lines that lie on each other by a dot each, and one label', () => {
    const cites = ['s4', 's5', 's6'].map((id, i) => ({ id, atMs: 4000 + i, value: 10 }));
    const svg = draw({ cites });
    expect(svg).toContain('>s4 s5 s6</text>');
    for (const { id } of cites) expect(svg).toContain(`fill="var(--cite-c1-${id},var(--text))"`);
  });
});

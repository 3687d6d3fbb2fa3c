/** The charts of a run on a terminal: the first plots of its report. Pure. */
import type { RunEvidence } from '../../evidence/index.ts';
import type { Plot, PlotKey } from '../report/plot.ts';
import { plotsOf } from '../report/plots.ts';
import { type Chart, short } from './chart.ts';

/** Short titles of the plots that fit a terminal. */
const TITLES: Readonly<Partial<Record<PlotKey, string>>> = { counts: 'Counted', answers: 'Admitted' };

/** Of the latest scenario that has them. */
export function chartsOf({ scenarios }: RunEvidence): Chart[] {
  const all = scenarios
    .toReversed()
    .map((scenario) => plotsOf(scenario).flatMap((plot) => chartOf(plot, scenario.name)));
  return all.find((charts) => charts.length > 0) ?? [];
}

/** Its main line against the bound; of other lines, only the last value. */
function chartOf({ bands, bound, fromMs, key, lines, toMs }: Plot, scenario: string): Chart[] {
  const title = TITLES[key];
  const main = lines.find(({ colour }) => colour === 0);
  if (title === undefined || !main) return [];
  const compared = lines.find(({ isBound }) => isBound);
  const others = lines.filter((line) => line !== main && line.colour !== 'faint');
  const figures = others.map(({ name, points }) => `${name} ${short(points.at(-1)?.[1] ?? 0)}`);
  const bursts = bands.filter(({ kind }) => kind === 'burst');
  return [
    {
      scenario,
      title,
      figures: [bound?.text, ...figures].filter((text) => text !== undefined).join(', '),
      points: main.points,
      holds: main.holds ?? false,
      bound: bound ? [[0, bound.value]] : (compared?.points ?? []),
      faults: bursts.length > 0 ? bursts : bands.filter(({ kind }) => kind === 'fault'),
      fromMs,
      toMs,
    },
  ];
}

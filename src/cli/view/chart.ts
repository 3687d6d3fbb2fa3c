/**
 * The charts of a run on a terminal: the first plots of its report, drawn with characters. Pure. A braille cell has two
 * by four dots.
 */
import type { RunEvidence } from '../../evidence/index.ts';
import { between, type Plot, type PlotKey, type PlotLine, type PlotPoint } from '../report/plot.ts';
import { plotsOf } from '../report/plots.ts';
import { fit, type Line, type Segment, seg, spread, type TextStyle } from './line.ts';

/** The plots that fit a terminal. */
const SHOWN: ReadonlySet<PlotKey> = new Set(['counts', 'answers']);
/** Columns of the scale at the left. */
const SCALE = 6;
/** Bits of the dots of a braille cell, by row and column. */
const BITS = [
  [0x01, 0x08],
  [0x02, 0x10],
  [0x04, 0x20],
  [0x40, 0x80],
] as const;

/** The plots of a scenario that a terminal shows. */
export interface Charts {
  readonly scenario: string;
  readonly plots: readonly Plot[];
}

/** The charts of the scenario that began last and has some. The evidence lists scenarios in the sequence of the spec. */
export function chartsOf({ scenarios }: RunEvidence): Charts | undefined {
  return scenarios
    .toSorted((a, b) => b.originMs - a.originMs)
    .map((scenario) => ({
      scenario: scenario.name,
      plots: plotsOf(scenario).filter((plot) => SHOWN.has(plot.key) && mainOf(plot)),
    }))
    .find(({ plots }) => plots.length > 0);
}

/**
 * The line that is drawn: of requests that were admitted, failed or got no response, the most, since an outage may show
 * only in these. Of other lines, only the last value is shown.
 */
function mainOf({ lines }: Plot): PlotLine | undefined {
  const drawn = lines.filter(({ colour }) => colour === 0 || colour === 2 || colour === 3);
  return drawn.toSorted((a, b) => lastOf(b) - lastOf(a))[0];
}

function lastOf({ points }: PlotLine): number {
  return points.at(-1)?.[1] ?? 0;
}

/** `height` lines (at least 4) of at most `width` columns: a title, the main line, the faults, and the time. */
export function chartLines(plot: Plot, width: number, height: number): Line[] {
  const main = mainOf(plot);
  const columns = width - SCALE;
  const rows = height - 3;
  if (!main || columns < 4 || rows < 1) return [];
  const bound = main.colour === 0 ? boundOf(plot) : [];
  // Room for the bound and the largest value.
  const top = Math.ceil(Math.max(1, ...[...bound, ...main.points].map(([, value]) => value)));
  const boundRows = columnsOf(plot, columns).map(({ to }) => {
    // Without a bound, no row is equal.
    const value = (bound.find(([at]) => at >= to) ?? bound.at(-1))?.[1] ?? Number.NaN;
    return rows - 1 - Math.floor((value / top) * (rows - 1e-9));
  });
  const dots = dotsOf(main, plot, 2 * columns, { rows: rows * BITS.length, top });
  const what = plot.key === 'counts' ? 'Counted' : main.name.replace(/^./, (first) => first.toUpperCase());
  const title = [seg(what, 'strong')];
  const lines: Line[] = [spread(title, [seg(figuresOf(plot, main), 'dim')], width)];
  for (let row = 0; row < rows; row++) {
    const lastBound = row === boundRows.at(-1) ? short(bound.at(-1)?.[1] ?? 0) : '';
    const label = row === 0 ? short(top) : row === rows - 1 ? '0' : lastBound;
    const bottom = (rows - 1 - row) * BITS.length;
    const cells = boundRows.map((boundRow, i) =>
      cell(bitsOf(dots.slice(2 * i, 2 * i + 2), bottom), row === boundRow),
    );
    lines.push([seg(`${label.padStart(SCALE - 2)} │`, 'dim'), ...joined(cells)]);
  }
  const kind = plot.bands.some((band) => band.kind === 'burst') ? 'burst' : 'fault';
  const faults = plot.bands.filter((band) => band.kind === kind);
  const bars = columnsOf(plot, columns).map(({ from, to }): Segment => {
    const isOn = faults.some(({ fromMs, toMs }) => fromMs < to && toMs > from);
    return isOn ? { text: '▀', style: 'fault' } : { text: '─', style: 'dim' };
  });
  const axis = [seg(`${' '.repeat(SCALE - 2)} └`, 'dim'), ...joined(bars)];
  const key: Line = faults.length > 0 ? [seg('▀', 'fault'), seg(` ${kind}`, 'dim')] : [];
  return [...lines, axis, timeLine(plot, key, width)].map((line) => fit(line, width));
}

/** The points of the maximum, which continues after the last one; none: there is no bound. */
function boundOf({ bound, lines }: Plot): readonly PlotPoint[] {
  if (bound) return [[0, bound.value]];
  return lines.find(({ isBound }) => isBound)?.points ?? [];
}

function figuresOf({ bound, lines }: Plot, main: PlotLine): string {
  const others = lines.filter((line) => line !== main && line.colour !== 'faint');
  const figures = others.map((line) => `${line.name} ${short(lastOf(line))}`);
  return [bound?.text, ...figures].filter((text) => text !== undefined).join(', ');
}

/** The start, what the bar is, and the end. */
function timeLine({ fromMs, toMs }: Plot, key: Line, width: number): Line {
  const span = toMs - fromMs;
  const first = seg(`${' '.repeat(SCALE - 1)}${momentText(fromMs, span)}   `, 'dim');
  return spread([first, ...key], [seg(momentText(toMs, span), 'dim')], width);
}

/** "-3 s", "+1.2 s", "+55 ms": precision by the span. */
function momentText(ms: number, span: number): string {
  const sign = ms > 0 ? '+' : '';
  if (span < 2000) return `${sign}${Math.round(ms)} ms`;
  const digits = span < 10_000 ? 10 : 1;
  return `${sign}${Math.round((ms / 1000) * digits) / digits} s`;
}

function cell(bits: number, isBound: boolean): Segment {
  if (bits !== 0) return { text: String.fromCodePoint(0x2800 + bits), style: 'first' };
  return isBound ? { text: '┈', style: 'warning' } : { text: ' ', style: 'plain' };
}

/** The time axis in so many columns. */
function columnsOf({ fromMs, toMs }: Plot, count: number): { readonly from: number; readonly to: number }[] {
  const at = (i: number): number => fromMs + (i / count) * Math.max(1, toMs - fromMs);
  return Array.from({ length: count }, (_, i) => ({ from: at(i), to: at(i + 1) }));
}

/** The lowest and the highest dot of a column, from the bottom; none: the lowest is greater. */
type Dots = readonly [low: number, high: number];

/** The dots of a line. All points of a column count: a peak must not fall between two dots. */
function dotsOf(
  { holds, points }: PlotLine,
  plot: Plot,
  count: number,
  { rows, top }: { readonly rows: number; readonly top: number },
): Dots[] {
  const end = points.at(-1);
  const all = holds && end ? [...points, [plot.toMs, end[1]] as const] : points;
  return columnsOf(plot, count).map(({ from, to }, x) => {
    const seen = all.filter(([at]) => at <= to && (x === 0 || at > from)).map(([, value]) => value);
    const next = all.findIndex(([at]) => at > to);
    const [before, after] = [all[next - 1], all[next]];
    if (before && after)
      seen.push(between(before, after, Math.max(from, before[0])), between(before, after, to));
    const heights = seen.map((value) =>
      Math.max(0, Math.min(rows - 1, Math.round((value / top) * (rows - 1)))),
    );
    return [Math.min(...heights), Math.max(...heights)];
  });
}

/** The bits of a cell of two columns of dots, whose lowest dot is at `bottom`. */
function bitsOf(columns: readonly Dots[], bottom: number): number {
  return BITS.toReversed().reduce((all, bits, row) => {
    const isOn = ([low, high]: Dots): boolean => low <= bottom + row && bottom + row <= high;
    return columns.reduce((sum, dots, i) => sum | (isOn(dots) ? (bits[i] ?? 0) : 0), all);
  }, 0);
}

/** Joins adjacent segments of the same style. */
function joined(segments: readonly Segment[]): Segment[] {
  const parts: { text: string; style: TextStyle }[] = [];
  for (const { style, text } of segments) {
    const last = parts.at(-1);
    if (last?.style === style) last.text += text;
    else parts.push({ text, style });
  }
  return parts;
}

/** A short form of a number: four characters for realistic counts. */
export function short(value: number): string {
  const rounded = Math.abs(value) < 10 ? Math.round(value * 10) / 10 : Math.round(value);
  if (Math.abs(rounded) < 10_000) return String(rounded);
  return rounded < 999_500 ? `${Math.round(rounded / 1000)}k` : `${Math.round(rounded / 1_000_000)}M`;
}

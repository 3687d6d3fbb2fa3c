/** Small charts of characters. Pure. A braille cell has two by four dots. */
import type { Plot, PlotPoint as Point } from '../report/plot.ts';
import { center, fit, type Line, type Segment, seg, spread, type TextStyle, widthOf } from './line.ts';

export interface Chart {
  /** Whether the last value continues after its point: a count does, a difference is unknown. */
  readonly holds: boolean;
  readonly scenario: string;
  readonly title: string;
  /** At the end of the title. */
  readonly figures: string;
  readonly points: readonly Point[];
  /** The maximum, drawn as a line; continues after its last point. Empty: there is no bound. */
  readonly bound: readonly Point[];
  /** Faults or bursts; drawn below. */
  readonly faults: Plot['bands'];
  readonly fromMs: number;
  readonly toMs: number;
}

/** Columns of the scale at the left. */
const SCALE = 6;
const DOTS_X = 2;
const DOTS_Y = 4;
/** Bits of the dots of a braille cell, by row and column. */
const BITS = [
  [0x01, 0x08],
  [0x02, 0x10],
  [0x04, 0x20],
  [0x40, 0x80],
] as const;

/** `height` lines (at least 4) of at most `width` columns: a title, the plot, the faults, and the time. */
export function chartLines(chart: Chart, width: number, height: number): Line[] {
  const columns = width - SCALE;
  const rows = height - 3;
  if (columns < 4 || rows < 1) return [];
  const top = topOf(chart);
  const cells = plot(chart, { columns, rows, top });
  const bounds = boundRows(chart, { columns, rows, top });
  const lastBound = chart.bound.at(-1)?.[1] ?? 0;
  const lines: Line[] = [spread([seg(chart.title, 'strong')], [seg(chart.figures, 'dim')], width)];
  for (let row = 0; row < rows; row++) {
    const label =
      row === 0 ? short(top) : row === rows - 1 ? '0' : row === bounds.at(-1) ? short(lastBound) : '';
    const plotted = (cells[row] ?? []).map((bits, i): Segment => cell(bits, row === bounds[i]));
    lines.push([seg(`${label.padStart(SCALE - 2)} │`, 'dim'), ...joined(plotted)]);
  }
  const axis = [seg(`${' '.repeat(SCALE - 2)} └`, 'dim'), ...joined(faultCells(chart, columns))];
  return [...lines, axis, timeLine(chart, width)].map((line) => fit(line, width));
}

/** The start and end time, and between them what the bar is. */
function timeLine({ faults: [fault], fromMs, toMs }: Chart, width: number): Line {
  const span = toMs - fromMs;
  const [first, last] = [momentText(fromMs, span), momentText(toMs, span)];
  const key: Line = fault ? [seg('▀', 'fault'), seg(` ${fault.kind}`, 'dim')] : [];
  const room = width - SCALE + 1 - first.length - last.length - 2;
  const between = widthOf(key) < room ? [seg(' '), ...center(key, room)] : [];
  const left: Line = [seg(`${' '.repeat(SCALE - 1)}${first}`, 'dim'), ...between];
  return spread(left, [seg(last, 'dim')], width);
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

/** The end of the scale: room for the bound and the largest value. */
function topOf({ bound, points }: Chart): number {
  return Math.ceil(Math.max(1, ...[...bound, ...points].map(([, value]) => value)));
}

/** The row of the bound at the end of each column; empty if there is no bound. */
function boundRows(
  { bound, fromMs, toMs }: Chart,
  { columns, rows, top }: { columns: number; rows: number; top: number },
): number[] {
  if (bound.length === 0) return [];
  return Array.from({ length: columns }, (_, i) => {
    const atMs = fromMs + ((i + 1) / columns) * Math.max(1, toMs - fromMs);
    const after = bound.find(([at]) => at >= atMs) ?? bound.at(-1);
    return rows - 1 - Math.min(rows - 1, cellOf(after?.[1] ?? 0, top, rows));
  });
}

function cellOf(value: number, top: number, rows: number): number {
  return Math.floor((value / top) * (rows - 1e-9));
}

/** Bits of every cell, by row from the top and column. */
function plot(
  { fromMs, holds, points: seenPoints, toMs }: Chart,
  { columns, rows, top }: { columns: number; rows: number; top: number },
): number[][] {
  const last = seenPoints.at(-1);
  const points = holds && last ? [...seenPoints, [toMs, last[1]] as const] : seenPoints;
  const cells = Array.from({ length: rows }, () => Array.from({ length: columns }, () => 0));
  const dotsX = columns * DOTS_X;
  const dotsY = rows * DOTS_Y;
  const span = Math.max(1, toMs - fromMs);
  const dot = (x: number, y: number): void => {
    const row = cells[rows - 1 - Math.floor(y / DOTS_Y)];
    const bits = BITS[DOTS_Y - 1 - (y % DOTS_Y)]?.[x % DOTS_X] ?? 0;
    const column = Math.floor(x / DOTS_X);
    if (row) row[column] = (row[column] ?? 0) | bits;
  };
  const heightOf = (value: number): number =>
    Math.max(0, Math.min(dotsY - 1, Math.round((value / top) * (dotsY - 1))));
  let next = 0;
  for (let x = 0; x < dotsX; x++) {
    const [begin, end] = [fromMs + (x / dotsX) * span, fromMs + ((x + 1) / dotsX) * span];
    // All points of a column count: a peak must not fall between two dots.
    const seen: number[] = [];
    for (let point = points[next]; point !== undefined && point[0] <= end; point = points[next]) {
      seen.push(point[1]);
      next++;
    }
    const [before, after] = [points[next - 1], points[next]];
    if (before && after)
      seen.push(between(before, after, Math.max(begin, before[0])), between(before, after, end));
    if (seen.length === 0) continue;
    const heights = seen.map(heightOf);
    for (let y = Math.min(...heights); y <= Math.max(...heights); y++) dot(x, y);
  }
  return cells;
}

/** The value at a time on the line between two points. */
function between([from, first]: Point, [to, last]: Point, atMs: number): number {
  return to === from ? last : first + ((last - first) * (atMs - from)) / (to - from);
}

function faultCells({ faults, fromMs, toMs }: Chart, columns: number): Segment[] {
  const span = Math.max(1, toMs - fromMs);
  return Array.from({ length: columns }, (_, i) => {
    const [begin, end] = [fromMs + (i / columns) * span, fromMs + ((i + 1) / columns) * span];
    const on = faults.some((fault) => fault.fromMs < end && fault.toMs > begin);
    return on ? { text: '▀', style: 'fault' } : { text: '─', style: 'dim' };
  });
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

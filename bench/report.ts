/** The figures as a table for people and as JSON for programs. Pure. */
import type { Row } from './benchmark.ts';

/** What one benchmark had to say. */
export interface Result {
  readonly benchmark: string;
  readonly rows: readonly Row[];
}

/** The figure divided by its baseline; undefined without one. */
export function ratioOf({ value, baseline }: Row): number | undefined {
  return baseline === undefined || baseline.value === 0 ? undefined : value / baseline.value;
}

/** Three digits that say something, and no more than one behind the point from 10 on. */
export function formatNumber(value: number): string {
  if (Math.abs(value) >= 100) return value.toFixed(0);
  return value.toFixed(Math.abs(value) >= 10 ? 1 : 2);
}

/** Lines of a table in Markdown, which is read well on a terminal too. */
export function tableOf(results: readonly Result[]): string[] {
  const cells = results.flatMap(({ benchmark, rows }) => rows.map((row) => [benchmark, ...cellsOf(row)]));
  const table = [['benchmark', 'measure', 'value', 'compared with', '', 'ratio'], ...cells];
  const widths =
    table[0]?.map((_, column) => Math.max(3, ...table.map((row) => row[column]?.length ?? 0))) ?? [];
  const line = (row: readonly string[]): string =>
    `| ${row.map((cell, column) => (isNumber(column) ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0))).join(' | ')} |`;
  const rule = `| ${widths.map((width, column) => (isNumber(column) ? `${'-'.repeat(width - 1)}:` : '-'.repeat(width))).join(' | ')} |`;
  return [line(table[0] ?? []), rule, ...table.slice(1).map(line)];
}

/** What one has to know of each figure, as a list in Markdown: the table has no room for it. */
export function notesOf(results: readonly Result[]): string[] {
  return results.flatMap(({ rows }) =>
    rows.flatMap(({ what, note }) => (note ? [`- "${what}": ${note}`] : [])),
  );
}

const isNumber = (column: number): boolean => [2, 4, 5].includes(column);

function cellsOf(row: Row): string[] {
  const { what, value, unit, baseline } = row;
  const ratio = ratioOf(row);
  const withUnit = (number: number): string => `${formatNumber(number)} ${unit}`.trim();
  return [
    what,
    withUnit(value),
    baseline?.what ?? '',
    baseline ? withUnit(baseline.value) : '',
    ratio === undefined ? '' : `${formatNumber(ratio)}x`,
  ];
}

/** For `--report`: everything, with the ratios, unrounded. */
export function jsonOf(machine: object, results: readonly Result[]): string {
  const measured = results.map(({ benchmark, rows }) => ({
    benchmark,
    rows: rows.map((row) => ({ ...row, ratio: ratioOf(row) })),
  }));
  return `${JSON.stringify({ machine, results: measured }, null, 2)}\n`;
}

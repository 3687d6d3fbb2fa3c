/**
 * What the pictures in docs/pictures show, and in which version. The version is a hash of what today's view and pages
 * make of runs that never change: it changes exactly if the picture would look different.
 */
import { createHash } from 'node:crypto';
import { reportHtml } from '../../src/cli/report/html.ts';
import { runReport } from '../../src/cli/report/report.ts';
import { watchView } from '../../src/cli/view/watch-view.ts';
import { recordedRun } from '../../test/fixtures/cli/report/report.ts';
import { evidenceOfRun, NOW, stateWith, statusInFault } from '../../test/fixtures/cli/view/status.ts';

/** The live view in a terminal, and the pages in a browser. */
export type Shown = 'view' | 'pages';

/** Columns and rows of the terminal that is pictured: as wide as a README has room for. */
export const TERMINAL = { columns: 100, rows: 30 };

/** Width of the window in which pages are pictured, in CSS pixels: their content fills it. */
export const PAGE_WIDTH = 900;

/** The version of each. */
export function versions(): Readonly<Record<Shown, string>> {
  return { view: hashOf(views()), pages: hashOf(pages()) };
}

/** The view while a fault is on, and of a run that has ended. Times of events depend on where one is. */
function views(): string[] {
  const frame = { ...TERMINAL, color: true, now: NOW, keys: 'keys' };
  const ended = { ...stateWith(undefined), ...recordedRun() };
  const inFault = { ...stateWith(statusInFault()), evidence: evidenceOfRun() };
  return [ended, inFault].flatMap((state) => watchView(state, frame));
}

function pages(): string[] {
  const report = runReport(recordedRun());
  return report ? [asPictured(reportHtml(report, { script: '', now: NOW }))] : [];
}

/** A page without what its picture cannot show: the script, and rules for other widths and for paper. */
export function asPictured(page: string): string {
  return page
    .replace(/<script>.*<\/script>/s, '')
    .replace(/@media ([^{]+)\{(?:[^{}]|\{[^{}]*\})*\}\n?/g, (rules, condition: string) =>
      isPictured(condition) ? rules : '',
    );
}

function isPictured(condition: string): boolean {
  const [, side, pixels] = /\((max|min)-width:(\d+)px\)/.exec(condition) ?? [];
  if (side === undefined) return condition.trim() !== 'print';
  return side === 'max' ? PAGE_WIDTH <= Number(pixels) : PAGE_WIDTH >= Number(pixels);
}

function hashOf(texts: readonly string[]): string {
  return createHash('sha256').update(texts.join('\n')).digest('hex').slice(0, 16);
}

/** The chapters of a run and its faults as rows of bars. Pure. */
import { leftAt } from '../../engine/chapter.ts';
import type { RunReport } from './report.ts';
import { html, type Markup } from './text.ts';

/**
 * A section with a row for each chapter shown, and for each fault, sorted by their start.
 * @param until when the run ended, or the time now
 */
export function timeline(report: RunReport, until: string | undefined): Markup {
  const rows = rowsOf(report, until);
  const end = Math.max(...rows.map(({ to }) => to), 1);
  if (rows.length === 0) return html``;
  const share = (ms: number): number => Math.round((ms / end) * 10_000) / 100;
  return html`<section aria-labelledby="timeline"><h2 id="timeline">Timeline</h2>
<ol class="timeline">${rows.map(
    ({ from, isOpen, kind, label, to }) => html`
<li class="${kind}"><span class="label">${label}</span><span class="track"><i style="left:min(${share(from)}%,100% - 3px);width:${Math.max(0.4, share(to) - share(from))}%"></i></span><span class="time">${clock(from)} to ${clock(to)}${isOpen ? ' at the latest' : undefined}</span></li>`,
  )}</ol></section>`;
}

/** `isOpen`: the end is an upper bound. */
function rowsOf({ chapters, run, scenarios }: RunReport, until: string | undefined) {
  const since = (time: string | undefined): number => Date.parse(time ?? '') - Date.parse(run.startedAt);
  const rows = [
    ...chapters.map(({ startedAt, title }, i) => ({
      label: title,
      kind: 'chapter',
      from: since(startedAt),
      to: since(leftAt(chapters, i, until)),
      isOpen: false,
    })),
    ...scenarios.map(({ status: { fault, name } }) => ({
      label: `fault of ${name}`,
      kind: 'fault',
      from: since(fault?.startedAt),
      to: since(fault?.endedAt ?? fault?.until),
      isOpen: fault?.endedAt === undefined,
    })),
  ];
  return rows.filter(({ from, to }) => from >= 0 && to >= from).toSorted((a, b) => a.from - b.from);
}

/** "1:05.2" of milliseconds since the start. */
function clock(ms: number): string {
  const tenths = Math.round(ms / 100);
  return `${Math.floor(tenths / 600)}:${String(Math.floor((tenths % 600) / 10)).padStart(2, '0')}.${tenths % 10}`;
}

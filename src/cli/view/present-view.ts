/** The view for a stage: one chapter at a time, large enough to be read from the back. Pure. */
import { type ChaosDemoStatus, endOf } from '../../api/index.ts';
import { currentChapter } from '../../engine/chapter.ts';
import { waitingOf } from '../stepper.ts';
import { center, fit, type Line, render, seg, spread, wrap } from './line.ts';
import { connectionPart, countdownOf, healthLines, phasePart, progressPart, resultLines } from './parts.ts';
import type { LiveState } from './state.ts';
import type { Frame } from './watch-view.ts';

/** People read shorter lines more easily. */
const TEXT_COLUMNS = 72;

/** Exactly `rows` lines of at most `columns` columns. */
export function presentView(state: LiveState, frame: Frame): string[] {
  const { columns, rows } = frame;
  const status = state.demo?.status ?? {};
  const current = currentChapter(status);
  const where = current ? `chapter ${current.number} of ${status.chapters?.length ?? 0}` : '';
  const head: Line[] = [
    spread(
      [seg(`${state.namespace}/${state.name}  `, 'dim'), ...phasePart(state)],
      [seg(where, 'dim')],
      columns,
    ),
    center(progressPart(status), columns),
  ];
  const foot: Line[] = [
    center(connectionPart(state, frame.now), columns),
    center([seg(frame.keys, 'dim')], columns),
  ];
  const room = Math.max(0, rows - head.length - foot.length);
  const story = storyLines(state, frame, room).slice(0, room);
  const above = Math.floor((room - story.length) / 2);
  const lines: Line[] = [...head, ...Array.from({ length: above }, (): Line => []), ...story];
  while (lines.length < rows - foot.length) lines.push([]);
  return [...lines.slice(0, rows - foot.length), ...foot].slice(-rows).map((line) => render(line, frame));
}

function storyLines(state: LiveState, { columns, now }: Frame, room: number): Line[] {
  const { deleted, demo, name } = state;
  const status = demo?.status ?? {};
  if (deleted) return [center([seg(`${name} was deleted`, 'warning')], columns)];
  if (!demo) return [center([seg('Waiting for the API server to show it', 'dim')], columns)];
  const width = Math.min(TEXT_COLUMNS, columns - 4);
  const countdown = countdownOf(status, now);
  const current: Line[] = countdown
    ? [center([seg(countdown.text, countdown.isActive ? 'fault' : 'warning')], columns), []]
    : [];
  const results = resultLines(status, columns)
    .filter((_, i) => status.scenarios?.[i]?.result !== undefined)
    .flatMap(({ below, line }) => (below ? [line, below] : [line]));
  const waiting = waitingOf(status);
  const next: Line[] = waiting
    ? [[], center([seg(`Space: ${waiting.next ?? 'the verdict'}`, 'active')], columns)]
    : [];
  const title = titleOf(status);
  const fixed = 3 + current.length + results.length + next.length + 3;
  const text = wrap(textOf(status), width, Math.max(2, room - fixed), 'strong');
  const left = Math.max(0, Math.floor((columns - width) / 2));
  const indented = text.map((line): Line => [seg(' '.repeat(left)), ...line]);
  return [
    center([seg(title.toUpperCase(), 'active')], columns),
    [],
    ...indented,
    [],
    ...current,
    ...(status.run && results.length === 0 && !countdown
      ? healthLines(status).map((line) => center(line, columns))
      : []),
    ...results.map((line) => center(line, columns)),
    ...next,
  ].map((line) => fit(line, columns));
}

/** The verdict at the end, else the title of the chapter. */
function titleOf(status: ChaosDemoStatus): string {
  const { phase, run } = status;
  return run?.phase ?? currentChapter(status)?.title ?? phase ?? 'Waiting for an operator';
}

/** The text of the chapter, or else the state of the object. */
function textOf(status: ChaosDemoStatus): string {
  const { message = '', run } = status;
  return endOf(run)?.message ?? currentChapter(status)?.message ?? message;
}

/**
 * Lines of a view, fitted to a width. Pure. External text becomes part of a line only through {@link seg}, which
 * removes everything that a terminal would act on; colour is added last.
 */
import { styleText } from 'node:util';
import stringWidth from 'string-width';
import wrapAnsi from 'wrap-ansi';
import { terminalLine } from '../../api/index.ts';

/** The styles of parts of a line. Without colour all are the same: nothing may depend on them. */
const FORMATS = {
  plain: [],
  strong: ['bold'],
  dim: ['dim'],
  good: ['green'],
  bad: ['red', 'bold'],
  warning: ['yellow'],
  active: ['cyan', 'bold'],
  fault: ['red'],
  first: ['cyan'],
} satisfies Record<string, Parameters<typeof styleText>[0]>;

export type TextStyle = keyof typeof FORMATS;

/** A part of a line with one style. Its text is safe, see {@link seg}. */
export interface Segment {
  readonly text: string;
  readonly style: TextStyle;
}

/** One line of a view. */
export type Line = readonly Segment[];

/** Joiners and selectors make terminals disagree on widths, and marks may be stacked without a limit. */
const UNSTEADY = /\u200c|\u200d|\p{Variation_Selector}/gu;
const HEAPED_MARKS = /(\p{M}{2})\p{M}+/gu;

/** A part of a line, from untrusted text. */
export function seg(text: string, style: TextStyle = 'plain'): Segment {
  return { text: terminalLine(text).replace(UNSTEADY, '').replace(HEAPED_MARKS, '$1'), style };
}

/** Columns that it takes on a terminal. */
export function widthOf(line: Line): number {
  return line.reduce((sum, { text }) => sum + stringWidth(text), 0);
}

const graphemes = new Intl.Segmenter(undefined, { granularity: 'grapheme' });

/** The line cut to `width` columns, with an ellipsis if it was cut. */
export function fit(line: Line, width: number): Line {
  if (widthOf(line) <= width) return line;
  if (width <= 0) return [];
  const parts: Segment[] = [];
  let left = width - 1;
  for (const { style, text } of line) {
    const whole = stringWidth(text);
    if (whole <= left) {
      parts.push({ style, text });
      left -= whole;
      continue;
    }
    let kept = '';
    for (const { segment } of graphemes.segment(text)) {
      const columns = stringWidth(segment);
      if (columns > left) break;
      kept += segment;
      left -= columns;
    }
    parts.push({ style, text: `${kept}…` });
    break;
  }
  return parts;
}

/** The line cut or padded with blanks to exactly `width` columns. */
export function pad(line: Line, width: number): Line {
  const fitted = fit(line, width);
  const missing = width - widthOf(fitted);
  return missing > 0 ? [...fitted, { text: ' '.repeat(missing), style: 'plain' }] : fitted;
}

/** `left`, and `right` at the end of the line. If both do not fit, `left` is cut. */
export function spread(left: Line, right: Line, width: number): Line {
  const end = fit(right, width);
  const room = width - widthOf(end);
  return room <= 1 ? end : [...pad(fit(left, room - 1), room), ...end];
}

/** Text broken at blanks into lines of at most `width` columns; of more than `most`, the last ends with an ellipsis. */
export function wrap(text: string, width: number, most: number, style: TextStyle = 'plain'): Line[] {
  if (width < 1 || most < 1 || text === '') return [];
  const safe = seg(text, style);
  const lines = wrapAnsi(safe.text, width, { hard: true, trim: true }).split('\n');
  const kept: Line[] = lines.slice(0, most).map((line) => fit([{ text: line, style }], width));
  if (lines.length > most) kept[most - 1] = fit([{ text: `${lines[most - 1]} …`, style }], width);
  return kept;
}

/**
 * A printed line, broken at blanks for a terminal of so many columns, below its first word.
 * @param columns undefined: there is no terminal
 */
export function folded(line: string, columns: number | undefined): string[] {
  const safe = terminalLine(line);
  if (columns === undefined || stringWidth(safe) <= columns) return [safe];
  const [head = ''] = /^\W{0,9} /.exec(safe) ?? [];
  const room = Math.max(1, columns - head.length);
  return wrapAnsi(safe.slice(head.length), room, { hard: false, trim: true })
    .split('\n')
    .map((part, i) => (i === 0 ? head : ' '.repeat(head.length)) + part);
}

/** Lines side by side, so that every line has `leftWidth` columns, a gap, and the rest. */
export function sideBySide(
  left: readonly Line[],
  right: readonly Line[],
  leftWidth: number,
  gap: Line,
): Line[] {
  return Array.from({ length: Math.max(left.length, right.length) }, (_, i) => [
    ...pad(left[i] ?? [], leftWidth),
    ...gap,
    ...(right[i] ?? []),
  ]);
}

/** A line with a heading that divides a view. */
export function rule(heading: string, width: number): Line {
  const title: Line = heading === '' ? [] : [seg(`─ ${heading} `, 'dim')];
  return fit([...title, { text: '─'.repeat(Math.max(0, width - widthOf(title))), style: 'dim' }], width);
}

/** The line for a terminal, never wider than `width`. */
export function render(line: Line, { color, columns }: { color: boolean; columns: number }): string {
  return fit(line, columns)
    .map(({ style, text }) =>
      color && style !== 'plain' ? styleText(FORMATS[style], text, { validateStream: false }) : text,
    )
    .join('')
    .trimEnd();
}

/**
 * A screen of a terminal as an SVG. Words stay text; lines, blocks and the dots of charts are drawn, as terminals do
 * themselves: a reader's font may lack them, or have them in another width. Pure.
 */
import { escaped } from '../../src/cli/report/text.ts';
import type { Cell } from '../../test/kit/terminal.ts';

/** What was on a terminal of `columns` columns, row by row. */
export interface Screen {
  readonly columns: number;
  readonly rows: readonly (readonly Cell[])[];
}

/** The text alternative of a picture, and the command above the screen. */
export interface Words {
  readonly title: string;
  readonly about: string;
  readonly command: string;
}

/** A screen that is shown up to a share of the time, from 0 to 1; the last one up to 1. */
export interface Frame {
  readonly screen: Screen;
  readonly until: number;
}

/** Pixels of a character at 14 px, of the padding, and of the bar with the command. */
const CELL = { width: 8.4, height: 18, base: 13.5 };
const PADDING = 16;
const BAR = 34;

/** The palette of a terminal by its numbers, light enough on the dark ground of the frame. */
const COLOURS: Readonly<Record<number, string>> = {
  1: '#ff7b86',
  2: '#7fd99a',
  3: '#f2c063',
  4: '#7ab8ff',
  5: '#d3a5ff',
  6: '#6fd3e3',
};

const STYLE = [
  'text{font:14px ui-monospace,SFMono-Regular,Menlo,Consolas,"Liberation Mono",monospace;fill:#d9dce1;white-space:pre;font-variant-emoji:text}',
  'path{stroke:#d9dce1;fill:none}.b{font-weight:700}.d{opacity:.66}',
  // A line of the dots of charts, a dashed one, half a row, and a bar.
  '.o{stroke-linecap:round;stroke-width:3;stroke-dasharray:0 4.2}.e{stroke-dasharray:2.4 1.8}',
  '.half{stroke-width:9}.bar{stroke-width:12}.f{opacity:.3}',
  ...Object.entries(COLOURS).map(
    ([number, colour]) => `text.c${number}{fill:${colour}}path.c${number}{stroke:${colour}}`,
  ),
].join('');

/** One screen as it was. */
export function screenSvg(screen: Screen, words: Words): string {
  return framed(screen, words, STYLE, screen.rows.map((row, y) => rowParts(row, y).join('')).join('\n'));
}

/** How often an animation is played, so that it ends. */
const TIMES = 3;

/**
 * Screens one after the other in `seconds`, a few times; then, and if the reader prefers reduced motion, the last one.
 * What stays where it is stands there once.
 */
export function screensSvg(frames: readonly Frame[], seconds: number, words: Words): string {
  const last = frames.at(-1);
  if (!last) throw new Error('there is no screen');
  const rules: string[] = [];
  const groups = [...partsByTime(frames)].map(([time, parts]) => {
    const [from = 0, until = 1] = time.split(' ').map(Number);
    if (from === 0 && until === 1) return `<g>${parts.join('')}</g>`;
    const name = `t${rules.length}`;
    rules.push(visibleRule(name, from, until));
    return `<g class="${until === 1 ? '' : 'h '}${name}">${parts.join('')}</g>`;
  });
  const moving = `g{animation:${seconds}s step-end ${TIMES}}${rules.join('')}`;
  const style = `${STYLE}.h{visibility:hidden}@media (prefers-reduced-motion:no-preference){${moving}}`;
  return framed(last.screen, words, style, groups.join('\n'));
}

/** What is drawn from one share of the time to another, by both with a blank between. */
function partsByTime(frames: readonly Frame[]): Map<string, string[]> {
  const byTime = new Map<string, string[]>();
  const since = new Map<string, number>();
  let from = 0;
  const end = (part: string): void => {
    const time = `${since.get(part) ?? 0} ${from}`;
    byTime.set(time, [...(byTime.get(time) ?? []), part]);
    since.delete(part);
  };
  for (const { screen, until } of frames) {
    const parts = new Set(screen.rows.flatMap(rowParts));
    for (const part of since.keys()) if (!parts.has(part)) end(part);
    for (const part of parts) if (!since.has(part)) since.set(part, from);
    from = until;
  }
  for (const part of since.keys()) end(part);
  return byTime;
}

/** Percent. */
function at(share: number): number {
  return Number((share * 100).toFixed(1));
}

function visibleRule(name: string, from: number, until: number): string {
  const before = from === 0 ? '' : '0%{visibility:hidden}';
  const after = until === 1 ? '' : `${at(until)}%,to{visibility:hidden}`;
  return `.${name}{animation-name:${name}}@keyframes ${name}{${before}${at(from)}%{visibility:visible}${after}}`;
}

function framed({ columns, rows }: Screen, { about, command, title }: Words, style: string, drawn: string) {
  const width = Math.ceil(columns * CELL.width) + 2 * PADDING;
  const height = rows.length * CELL.height + BAR + 2 * PADDING - 4;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-labelledby="title about">
<title id="title">${escaped(title)}</title>
<desc id="about">${escaped(about)}</desc>
<style>${style}</style>
<rect x=".5" y=".5" width="${width - 1}" height="${height - 1}" rx="10" fill="#15181d" stroke="#4a515c"/>
<path d="M1 ${BAR - 0.5}h${width - 2}" stroke-opacity=".2"/>
<text class="d" x="${PADDING}" y="22">$ ${escaped(command)}</text>
<g transform="translate(${PADDING} ${BAR + PADDING - 6})">
${drawn}
</g>
</svg>
`;
}

/** The elements of a row. */
function rowParts(row: readonly Cell[], y: number): string[] {
  const drawn = new Map<string, string>();
  const dotted = new Map<string, number[][]>();
  const runs: { look: string; x: number; text: string }[] = [];
  for (const [i, cell] of row.entries()) {
    if (LONG.has(cell.text) && continues(row[i - 1], cell)) continue;
    const look = lookOf(cell);
    const bits = (cell.text.codePointAt(0) ?? 0) - BRAILLE;
    if (bits > 0 && bits <= 0xff) {
      const dots = dotted.get(look) ?? Array.from({ length: DOT_ROWS }, () => []);
      for (const { column, row } of dotsOf(bits)) dots[row]?.push(2 * cell.x + column);
      dotted.set(look, dots);
      continue;
    }
    const strokes = strokesOf(cell, y, LONG.has(cell.text) ? lengthFrom(row, i) : 1);
    if (strokes) {
      const kind = classed(look, strokes.look);
      drawn.set(kind, `${drawn.get(kind) ?? ''}${strokes.path}`);
      continue;
    }
    const run = runs.at(-1);
    const gap = run ? cell.x - run.x - run.text.length : 0;
    // One blank between two words; a mark may be wider than its cell, and stands alone.
    const joins = run?.look === look && gap <= 1 && isPlain(run.text) && isPlain(cell.text);
    if (joins) run.text += `${' '.repeat(gap)}${cell.text}`;
    else runs.push({ look, x: cell.x, text: cell.text });
  }
  for (const [look, dots] of dotted) drawn.set(classed(look, 'o'), dotPath(dots, y));
  const paths = [...drawn].map(([kind, path]) => `<path${kind} d="${path}"/>`);
  const texts = runs.map(({ look, text, x }) => {
    const kind = look === '' ? '' : ` class="${look}"`;
    // Fonts for terminals differ by a hair, which adds up over a line.
    const length = text.length > 3 && isPlain(text) ? ` textLength="${round(text.length * CELL.width)}"` : '';
    return `<text${kind} x="${round(x * CELL.width)}" y="${round(y * CELL.height + CELL.base)}"${length}>${escaped(text)}</text>`;
  });
  return [...paths, ...texts];
}

/** Characters that every font for terminals has, in the width of one cell. */
function isPlain(text: string): boolean {
  return /^[ -~…·–]*$/.test(text);
}

function lookOf({ colour, isBold, isDim }: Cell): string {
  const classes = [colour !== undefined && COLOURS[colour] && `c${colour}`, isBold && 'b', isDim && 'd'];
  return classes.filter(Boolean).join(' ');
}

function classed(...looks: readonly string[]): string {
  const classes = looks.filter((look) => look !== '').join(' ');
  return classes === '' ? '' : ` class="${classes}"`;
}

/** A character of braille is this and a bit for each of its two by four dots. */
const BRAILLE = 0x2800;
const DOT_ROWS = 4;
const DOT_BITS = [0x01, 0x08, 0x02, 0x10, 0x04, 0x20, 0x40, 0x80];

function dotsOf(bits: number): { readonly column: number; readonly row: number }[] {
  return DOT_BITS.flatMap((bit, i) =>
    (bits & bit) === 0 ? [] : [{ column: i % 2, row: Math.floor(i / 2) }],
  );
}

/** Dots next to each other are one line, which the style makes dots of. @param rows columns of dots, from the left */
function dotPath(rows: readonly (readonly number[])[], y: number): string {
  const step = CELL.width / 2;
  return rows
    .map((columns, row) => {
      const top = round(y * CELL.height + ((row + 0.5) * CELL.height) / DOT_ROWS);
      return columns
        .map((column, i) => {
          if (columns[i - 1] === column - 1) return '';
          let end = i;
          while (columns[end + 1] === (columns[end] ?? 0) + 1) end++;
          return `M${round((column + 0.5) * step)} ${top}h${round((end - i) * step + 0.1)}`;
        })
        .join('');
    })
    .join('');
}

/** How a stroke is drawn: thick as half a row, as a bar, as a faint bar, of dashes; else thin. */
type StrokeLook = '' | 'half' | 'bar' | 'bar f' | 'e';

interface Strokes {
  readonly path: string;
  readonly look: StrokeLook;
}

/** Characters that are drawn in one stroke where they stand one after the other. */
const LONG = new Set(['─', '┈', '▀', '█', '░']);

function continues(before: Cell | undefined, cell: Cell): boolean {
  return before?.text === cell.text && before.x === cell.x - 1 && lookOf(before) === lookOf(cell);
}

function lengthFrom(row: readonly Cell[], from: number): number {
  let end = from + 1;
  for (let cell = row[end]; cell && continues(row[end - 1], cell); cell = row[end]) end++;
  return end - from;
}

/** How a character, `count` times in row `y`, is drawn; undefined: it is text. */
function strokesOf({ text, x }: Cell, y: number, count: number): Strokes | undefined {
  const { height, width } = CELL;
  const [left, top] = [x * width, y * height];
  const long = round(count * width);
  const middle = round(top + height / 2);
  const from = round(left);
  const line = (path: string, look: StrokeLook = ''): Strokes => ({ path, look });
  switch (text) {
    case '─':
      return line(`M${from} ${middle}h${long}`);
    case '│':
      return line(`M${round(left + width / 2)} ${round(top)}v${height}`);
    case '└':
      return line(`M${round(left + width / 2)} ${round(top)}v${height / 2}h${width / 2}`);
    case '┈':
      return line(`M${from} ${middle}h${long}`, 'e');
    case '▀':
      return line(`M${from} ${round(top + height / 4)}h${long}`, 'half');
    case '█':
      return line(`M${from} ${middle}h${long}`, 'bar');
    case '░':
      return line(`M${from} ${middle}h${long}`, 'bar f');
    default:
      return undefined;
  }
}

function round(value: number): number {
  return Number(value.toFixed(1));
}

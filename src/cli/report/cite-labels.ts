/** Labels of the citations in a plot. Pure. */
import { escaped } from './text.ts';

/** The label of a citation, in pixels: what is around its text, a character of it, and its height. */
const LABEL = { around: 11, character: 6.8, height: 17 };
/** Citations that lie closer than this, in pixels, have one label, which names so many of them. */
const CLOSE = { x: 18, y: 9, named: 3 };
/** Pixels of a drawing, which scales with the page. */
export interface ChartSize {
  readonly width: number;
  readonly height: number;
}

/** A citation with its place, in pixels. */
export interface PlacedCite {
  readonly id: string;
  readonly x: number;
  readonly y: number;
}

/** Those that lie on each other as one, as lines that are equal do. */
function together(cites: readonly PlacedCite[]): PlacedCite[][] {
  const groups: PlacedCite[][] = [];
  for (const cite of cites) {
    const near = groups.find(([first]) => first && isClose(first, cite));
    if (near) near.push(cite);
    else groups.push([cite]);
  }
  return groups;
}

function isClose(a: PlacedCite, b: PlacedCite): boolean {
  return Math.abs(a.x - b.x) <= CLOSE.x && Math.abs(a.y - b.y) <= CLOSE.y;
}

/** A label for those that lie together, as elements of SVG; labels give way to each other. @param anchor begins their classes */
export function labels(cites: readonly PlacedCite[], { height, width }: ChartSize, anchor: string): string[] {
  const taken: { x: number; y: number; width: number }[] = [];
  return together(cites).map((group) => {
    const ids = group.map(({ id }) => id).toSorted((a, b) => a.localeCompare(b, 'en', { numeric: true }));
    const text = labelText(ids);
    const own = LABEL.around + LABEL.character * text.length;
    const [first] = group;
    const at = {
      x: Math.min(width - own / 2 - 2, Math.max(own / 2, first?.x ?? 0)),
      y: Math.max(LABEL.height / 2 + 26, (first?.y ?? 0) - LABEL.height),
      width: own,
    };
    while (
      taken.some(
        (other) =>
          Math.abs(other.x - at.x) < (other.width + own) / 2 + 2 &&
          Math.abs(other.y - at.y) < LABEL.height + 1,
      )
    ) {
      if (at.y < height - 70) at.y += LABEL.height + 2;
      else at.x = Math.max(own / 2, at.x - own - 3);
      if (at.x <= own / 2) break;
    }
    taken.push(at);
    const names = ids.map((id) => `${anchor}${escaped(id)}`).join(' ');
    const all = ids.length > 1 ? `<title>${escaped(ids.join(', '))}</title>` : '';
    return `<g class="cite ${names}"><rect x="${px(at.x - own / 2)}" y="${px(at.y - LABEL.height / 2)}" width="${px(own)}" height="${LABEL.height}" rx="8"/><text x="${px(at.x)}" y="${px(at.y + 4)}" text-anchor="middle">${escaped(text)}</text>${all}</g>`;
  });
}

/** "s4", "s4-s6" of neighbours, "s11 s14 s17", and of more "s1 s3 +3". */
function labelText(ids: readonly string[]): string {
  const [first = '', ...others] = ids;
  const from = Number(first.slice(1));
  const isRun = others.length > 1 && ids.every((id, i) => id === `${first[0]}${from + i}`);
  if (isRun) return `${first}-${ids.at(-1)}`;
  if (ids.length <= CLOSE.named) return ids.join(' ');
  return `${ids.slice(0, CLOSE.named - 1).join(' ')} +${ids.length - CLOSE.named + 1}`;
}

/** A number of pixels as SVG has it, to tenths. */
export function px(pixels: number): string {
  return Number.isFinite(pixels) ? String(Math.round(pixels * 10) / 10) : '0';
}

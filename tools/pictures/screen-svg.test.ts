import { DOMParser } from '@xmldom/xmldom';
import { describe, expect, it } from 'vitest';
import type { Cell } from '../../test/kit/terminal.ts';
import { type Screen, screenSvg, screensSvg } from './screen-svg.ts';

const words = { title: 'A & B', about: 'two <rows>', command: 'watch' };

/** Plain text, a character a cell. */
function row(text: string, looks: Partial<Cell> = {}): Cell[] {
  return text
    .split('')
    .flatMap((character, x) =>
      character === ' '
        ? []
        : [{ x, text: character, colour: undefined, isBold: false, isDim: false, ...looks }],
    );
}

const screen = (...rows: Cell[][]): Screen => ({ columns: 20, rows });

function elementsOf(svg: string, name: string) {
  const parsed = new DOMParser().parseFromString(svg, 'image/svg+xml');
  return [...parsed.getElementsByTagName(name)];
}

describe('a picture of a screen', () => {
  it('is well-formed XML that says what it shows', () => {
    const svg = screenSvg(screen(row('a <b> & "c"')), words);
    expect(elementsOf(svg, 'title')[0]?.textContent).toBe('A & B');
    expect(elementsOf(svg, 'desc')[0]?.textContent).toBe('two <rows>');
    expect(elementsOf(svg, 'text').map((text) => text.textContent)).toEqual(['$ watch', 'a <b> & "c"']);
  });
});

describe('a moving picture', () => {
  const frames = [
    { screen: screen(row('same'), row('one')), until: 0.25 },
    { screen: screen(row('same'), row('two')), until: 1 },
  ];
  const svg = screensSvg(frames, 8, words);

  it('has what stays once, and the rest for its time', () => {
    expect(svg.match(/>same</g)).toHaveLength(1);
    expect(svg).toContain('{0%{visibility:visible}25%,to{visibility:hidden}}');
    expect(svg).toContain('{0%{visibility:hidden}25%{visibility:visible}}');
  });
});

import * as fc from 'fast-check';
import stringWidth from 'string-width';
import { describe, expect, it } from 'vitest';
import { hostile } from '../../../test/fixtures/cli/view/hostile-text.ts';
import { fit, folded, type Line, pad, render, rule, seg, sideBySide, spread, widthOf, wrap } from './line.ts';

const columns = fc.integer({ min: 0, max: 120 });
// oxlint-disable-next-line no-control-regex -- what a terminal acts on is what must not be there
const ACTS = /[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/u;

describe('a line', () => {
  it('a line keeps within its width, and strips terminal control characters', () => {
    fc.assert(
      fc.property(fc.array(hostile, { maxLength: 5 }), hostile, columns, (texts, other, width) => {
        const line: Line = texts.map((text) => seg(text, 'bad'));
        const made = [
          fit(line, width),
          pad(line, width),
          spread(line, [seg(other)], width),
          rule(other, width),
          ...wrap(other, width, 3),
          ...sideBySide([line], [], width, []),
        ];
        for (const each of made) {
          expect(widthOf(each)).toBeLessThanOrEqual(width);
          const plain = render(each, { color: false, columns: width });
          expect(stringWidth(plain)).toBeLessThanOrEqual(width);
          expect(plain).not.toMatch(ACTS);
        }
      }),
    );
  });

  it('shows with an ellipsis that something is gone, and cuts no character in half', () => {
    expect(render(fit([seg('漢字漢字')], 5), { color: false, columns: 5 })).toBe('漢字…');
    expect(render(fit([seg('abc'), seg('defgh')], 6), { color: false, columns: 6 })).toBe('abcde…');
    expect(widthOf(pad([seg('漢字漢字')], 4))).toBe(4);
  });
});

describe('a printed line', () => {
  const line = '  What to do: continue with a timeout that passes';

  it.each([20, 33, 80])('is broken only at blanks, with its indentation: %i columns', (columns) => {
    const lines = folded(line, columns);
    for (const one of lines) expect(one).toMatch(new RegExp(`^ {2}\\S.{0,${columns - 3}}$`));
    expect(lines.map((one) => one.trim()).join(' ')).toBe(line.trim());
  });

  it('that begins with a mark is broken below what follows it', () => {
    expect(folded('✗ outage  Hangs here', 13)).toEqual(['✗ outage', '  Hangs here']);
  });

  it('stays whole without a terminal', () => {
    expect(folded(line, undefined)).toEqual([line]);
  });
});

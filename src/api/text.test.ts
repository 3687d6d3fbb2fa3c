import { describe, expect, it } from 'vitest';
import { printable, truncate, withPrintableTexts } from './text.ts';

describe('text on its way into a status', () => {
  it('is cut to its bound, with an ellipsis', () => {
    expect(truncate('abcdef', 6)).toBe('abcdef');
    expect(truncate('abcdefg', 6)).toBe('abcde…');
  });

  it.each([
    ['an escape of a terminal', 'a\u001b[31mb', 'a\ufffd[31mb'],
    ['DEL and the controls behind it', 'a\u007f\u0085\u009fb', 'a\ufffd\ufffd\ufffdb'],
    ['line ends that YAML folds', 'a\u2028b', 'a\ufffdb'],
    ['marks that turn the direction of text', 'a\u202eb\u2066c', 'a\ufffdb\ufffdc'],
    ['what has no shape', 'a\u200b\u{e0041}b', 'a\ufffd\ufffdb'],
    ['half a character', `a${'😀'.slice(0, 1)}`, 'a\ufffd'],
  ])('loses %s, which a status cannot hold', (_, text, shown) => {
    expect(printable(text)).toBe(shown);
  });

  it('keeps what people write', () => {
    const text = 'Grüße, 世界 😀 👩‍🚀 "ok"';
    expect(printable(text)).toBe(text);
  });

  it('is one line wherever it is shown', () => {
    expect(printable('a\r\nb\n::error::c\td\re')).toBe('a b ::error::c d e');
  });

  it('is made printable at every depth, and the rest stays', () => {
    const value = { a: ['x\u0007', 1, null, { b: 'y\u007f' }], c: true };
    expect(withPrintableTexts(value)).toEqual({ a: ['x\ufffd', 1, null, { b: 'y\ufffd' }], c: true });
  });
});

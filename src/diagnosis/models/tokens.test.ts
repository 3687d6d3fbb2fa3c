import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { estimateTokens } from './tokens.ts';

/** The same by what each character is, one after the other. */
function oneByOne(text: string): number {
  const pieces = text.match(/[A-Za-z]+|\s+|[^A-Za-z\s]/gu) ?? [];
  return pieces.reduce((tokens, piece) => {
    if (/[A-Za-z]/.test(piece)) return tokens + Math.ceil(piece.length / 4);
    if (/^\s$/.test(piece) && piece !== '\n') return tokens;
    return tokens + ((piece.codePointAt(0) ?? 0) < 0x80 ? 1 : Buffer.byteLength(piece));
  }, 0);
}

describe('an estimate of tokens', () => {
  it.each([
    ['', 0],
    ['replica', 2],
    ['150:9748', 8],
    ['a b', 2],
    ['a\n  b', 3],
    ['\u4e2d', 3],
    ['{"a":[]}', 8],
  ])('takes %j for %i', (text, tokens) => {
    expect(estimateTokens(text)).toBe(tokens);
  });

  it('counts what stands together as it does each sign', () => {
    const others = [
      '\n',
      '\t',
      '\u000b',
      '\u001f',
      '\u007f',
      '\u00a0',
      '\u00e9',
      '\u2028',
      '\u4e2d',
      '\u{1f600}',
      '\ud800',
    ];
    const sign = fc.constantFrom('a', 'Z', '5', ':', '[', '{', '`', '@', ' ', ...others);
    fc.assert(
      fc.property(fc.string({ unit: sign, maxLength: 40 }), (text) => {
        expect(estimateTokens(text)).toBe(oneByOne(text));
      }),
      { numRuns: 500 },
    );
  });
});

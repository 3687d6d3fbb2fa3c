import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { rateLimitIn, remainingIn } from './rate-limit-field.ts';

describe('what remains by a header', () => {
  it.each([
    ['a whole number', '15', 15],
    ['none', '0', 0],
    ['the combined field of the first drafts', 'limit=20, remaining=15, reset=40', 15],
    ['the same, with parameters', 'limit=20;w=60, remaining=15, reset=40', 15],
    ['the field of the later drafts', '"default";r=15;t=40', 15],
    ['the same, as express-rate-limit writes it', '"10-in-1min"; r=9; t=60; pk=:MTJjYQ==:', 9],
    ['the last of two parameters, as RFC 9651 has it', '"a";r=5;r=6', 6],
    ['a name with separators and quotes in it', '"a,b;r=7 \\" c";r=15', 15],
  ])('is read from %s', (_, value, remaining) => {
    expect(remainingIn(value)).toBe(remaining);
  });

  it.each([
    ['nothing', ''],
    ['a negative number', '-1'],
    ['the header twice', '9, 9'],
    ['two policies, of which either may be met first', '"burst";r=5;t=1, "day";r=995;t=4000'],
    ['a remainder next to a policy', 'remaining=5, "a";r=6'],
    ['a policy that reports only when it resets', '"default";t=40'],
    ['a field without it', 'limit=20, reset=40'],
    ['a quote that is never closed', '"default;r=15'],
    ['the remainder as the value of something else', 'x=1;r=5'],
  ])('is not read from %s', (_, value) => {
    expect(remainingIn(value)).toBeUndefined();
  });

  it.each([
    ['RateLimit-Policy of the later drafts', '"default";q=20;w=60;pk=:Yw==:', { q: 20, w: 60 }],
    ['RateLimit-Policy of the first drafts', '20;w=60', { q: 20, w: 60 }],
    ['RateLimit-Limit of the first drafts', '20, 20;w=60', { q: 20, w: 60 }],
    ['the combined field', 'limit=20, remaining=15, reset=40', { q: 20, r: 15, t: 40 }],
    ['two policies', '20;w=60, 1000;w=3600', {}],
    ['numbers that are none of a limit', '"a";q=-1;w=1.5;r=?1;t=2', { t: 2 }],
  ])('all numbers are read from %s', (_, value, expected) => {
    expect(rateLimitIn(value)).toEqual(expected);
  });

  const name = fc
    .string({ maxLength: 40 })
    .map((text) => text.replaceAll(/["\\]/g, (quoted) => `\\${quoted}`));

  it('is read out of every field that a limiter in order may write', () => {
    fc.assert(
      fc.property(fc.nat({ max: 999_999_999 }), fc.nat(), name, (remaining, other, policy) => {
        expect(remainingIn(String(remaining))).toBe(remaining);
        expect(remainingIn(`limit=${other}, remaining=${remaining}, reset=${other}`)).toBe(remaining);
        expect(remainingIn(`"${policy}";r=${remaining};t=${other}`)).toBe(remaining);
        expect(remainingIn(`"${policy}";t=${other}; r=${remaining}`)).toBe(remaining);
      }),
    );
  });

  it('is a whole number or nothing, whatever the header holds', () => {
    const pieces = fc.constantFrom('"', '\\', ',', ';', '=', ' ', 'r', 'remaining', 'limit', '5', '-', '\t');
    const garbage = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 60 }),
      fc.array(pieces, { maxLength: 40 }).map((parts) => parts.join('')),
    );
    fc.assert(
      fc.property(garbage, (value) => {
        const remaining = remainingIn(value);
        if (remaining !== undefined) expect(Number.isSafeInteger(remaining) && remaining >= 0).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });
});

import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { printable } from '../../api/index.ts';
import { redacted } from './redacted.ts';

const key = 'abcd-0123456789';

describe('what a server says', () => {
  it('is shown without the key, and without what looks like one', () => {
    expect(redacted(`key ${key} is wrong`, key, 100)).toBe('key [key] is wrong');
    expect(redacted('Bearer abcdefgh12345 is wrong', undefined, 100)).toBe('[key] is wrong');
    expect(redacted('Incorrect API key: sk-proj-12345678', undefined, 100)).toBe('Incorrect API key: [key]');
  });

  it("a server's message becomes one bounded line without any part of the key", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary' }),
        fc.string({ unit: 'binary' }),
        fc.integer({ min: 1, max: 60 }),
        (a, b, most) => {
          const shown = redacted(`${a}${key}${b}`, key, most);
          expect(shown.length).toBeLessThanOrEqual(most);
          expect(printable(shown)).toBe(shown);
          expect(shown).not.toContain(key.slice(0, 8));
        },
      ),
    );
  });
});

import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatLabelSelector } from './label-selector.ts';

type Labels = Record<string, string>;

describe('formatLabelSelector', () => {
  it.each<[Labels, string]>([
    [{ 'app.kubernetes.io/name': 'ratelimiter' }, 'app.kubernetes.io/name=ratelimiter'],
    [{ a: '1', b: '' }, 'a=1,b='],
  ])('spells %j as %s', (labels, text) => {
    expect(formatLabelSelector(labels)).toBe(text);
  });

  it.each<[string, Labels, RegExp]>([
    ['no label', {}, /empty/],
    ['a value that would begin another requirement', { a: 'x,b=y' }, /not a label value/],
    ['a value that is too long', { a: 'x'.repeat(64) }, /not a label value/],
    ['a key with a blank', { 'a b': 'x' }, /not a label key/],
    ['a key with two slashes', { 'a/b/c': 'x' }, /not a label key/],
    ['a key with an empty domain', { '/b': 'x' }, /not a label key/],
  ])('refuses %s', (_, labels, message) => {
    expect(() => formatLabelSelector(labels)).toThrow(message);
  });

  it('never lets a value add a requirement', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (key, value) => {
        let text: string;
        try {
          text = formatLabelSelector({ [key]: value });
        } catch (error) {
          expect(error).toBeInstanceOf(RangeError);
          return;
        }
        expect(text).toBe(`${key}=${value}`);
        expect(text).toMatch(/^[A-Za-z0-9./_-]+=[A-Za-z0-9._-]*$/);
      }),
    );
  });
});

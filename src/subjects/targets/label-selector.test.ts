import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatLabelSelector, type LabelSelector } from './label-selector.ts';

describe('formatLabelSelector', () => {
  it.each<[LabelSelector, string]>([
    [{ matchLabels: { 'app.kubernetes.io/name': 'ratelimiter' } }, 'app.kubernetes.io/name=ratelimiter'],
    [{ matchLabels: { a: '1', b: '' } }, 'a=1,b='],
    [{ matchExpressions: [{ key: 'a', operator: 'In', values: ['x', 'y'] }] }, 'a in (x,y)'],
    [{ matchExpressions: [{ key: 'a', operator: 'NotIn', values: ['x'] }] }, 'a notin (x)'],
    [{ matchExpressions: [{ key: 'a', operator: 'Exists' }] }, 'a'],
    [{ matchExpressions: [{ key: 'a', operator: 'DoesNotExist', values: [] }] }, '!a'],
    [{ matchLabels: { a: '1' }, matchExpressions: [{ key: 'b', operator: 'Exists' }] }, 'a=1,b'],
  ])('spells %j as %s', (selector, text) => {
    expect(formatLabelSelector(selector)).toBe(text);
  });

  it.each<[string, LabelSelector, RegExp]>([
    ['an empty selector', {}, /empty/],
    ['empty lists', { matchLabels: {}, matchExpressions: [] }, /empty/],
    ['a value that would begin another requirement', { matchLabels: { a: 'x,b=y' } }, /not a label value/],
    ['a value that is too long', { matchLabels: { a: 'x'.repeat(64) } }, /not a label value/],
    ['a key with a blank', { matchLabels: { 'a b': 'x' } }, /not a label key/],
    ['a key with two slashes', { matchLabels: { 'a/b/c': 'x' } }, /not a label key/],
    ['a key with an empty domain', { matchLabels: { '/b': 'x' } }, /not a label key/],
    ['In without values', { matchExpressions: [{ key: 'a', operator: 'In' }] }, /at least one value/],
    [
      'Exists with values',
      { matchExpressions: [{ key: 'a', operator: 'Exists', values: ['x'] }] },
      /takes no values/,
    ],
  ])('refuses %s', (_, selector, message) => {
    expect(() => formatLabelSelector(selector)).toThrow(message);
  });

  it('never lets a value add a requirement of its own', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (key, value) => {
        let text: string;
        try {
          text = formatLabelSelector({ matchLabels: { [key]: value } });
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

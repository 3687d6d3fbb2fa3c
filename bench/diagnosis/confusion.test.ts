import { describe, expect, it } from 'vitest';
import { confusionOf, linesOf, shareOf } from './confusion.ts';

describe('confusionOf', () => {
  it('has what was right on its diagonal, and a row for what was wrong alone', () => {
    const judged = [
      { truths: ['none'], said: 'none' },
      { truths: ['a'], said: 'a' },
      { truths: ['a'], said: 'b' },
    ];
    const confusion = confusionOf(judged, ['none', 'a', 'b', 'c']);
    expect(confusion).toEqual({
      rows: ['none', 'a'],
      columns: ['none', 'a', 'b'],
      counts: [
        [1, 0, 0],
        [0, 1, 1],
      ],
    });
    expect(linesOf(confusion)).toHaveLength(1 + 2 + 3);
  });
});

// Values as tables of Wilson's interval have them.
it.each([
  [0, 10, 0, 0.2775],
  [10, 10, 0.7225, 1],
  [5, 10, 0.2366, 0.7634],
  [0, 0, 0, 1],
])('shareOf of %i in %i lies between %f and %f', (right, of, low, high) => {
  const share = shareOf(right, of);
  expect(share.low).toBeCloseTo(low, 4);
  expect(share.high).toBeCloseTo(high, 4);
});

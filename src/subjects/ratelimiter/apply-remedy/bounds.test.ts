import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { againstChange, MOST_MEASURING, measuringRequests, shareOf } from './bounds.ts';

const wide = { min: 1, max: 5000 };

describe('a changed limit', () => {
  it('a changed limit is within the bounds of the spec, and admits no more in total', () => {
    const number = fc.integer({ min: 1, max: 5000 });
    fc.assert(
      fc.property(number, fc.integer({ min: 1, max: 200 }), number, number, (requests, nodes, min, max) => {
        if (againstChange(requests, nodes, { min, max }) !== undefined) return;
        const share = shareOf(requests, nodes);
        expect(share).toBeGreaterThanOrEqual(min);
        expect(share).toBeLessThanOrEqual(max);
        expect(share).toBeLessThan(requests);
        expect(share * nodes).toBeLessThanOrEqual(requests);
        // What measures it could show that it does not hold.
        expect(measuringRequests(requests, nodes)).toBeGreaterThan(requests);
        expect(measuringRequests(requests, nodes)).toBeLessThanOrEqual(MOST_MEASURING);
      }),
    );
  });

  it.each([
    [10, 3, 20],
    [600, 3, 1000],
    [998, 3, 1000],
  ])('of %i requests on %i nodes is measured with %i at once', (requests, nodes, sent) => {
    expect(measuringRequests(requests, nodes)).toBe(sent);
  });

  it.each<[number, number, { min: number; max: number } | undefined, RegExp | undefined]>([
    [10, 3, wide, undefined],
    [10, 3, { min: 3, max: 3 }, undefined],
    [10, 3, { min: 4, max: 9 }, /a limit of 3 is needed, .* allows 4 to 9$/],
    [10, 3, { min: 1, max: 2 }, /a limit of 3 is needed, .* allows 1 to 2$/],
    [10, 3, undefined, /allows none$/],
    [10, 1, wide, /10 on 1 node cannot be shared out further/],
    [1, 3, wide, /1 on 3 nodes cannot be shared out further/],
    [2, 3, wide, /3 nodes that let 1 request through each go beyond the limit of 2 together/],
    [5000, 3, wide, /takes 5001 requests at once, and 1000 is the most/],
  ])('of %i requests on %i nodes within %j: %s', (requests, nodes, limit, why) => {
    const said = againstChange(requests, nodes, limit);
    if (why) expect(said).toMatch(why);
    else expect(said).toBeUndefined();
  });
});

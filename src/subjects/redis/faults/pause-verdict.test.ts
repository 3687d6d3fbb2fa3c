import { describe, expect, it } from 'vitest';
import { verdictOn } from './pause-verdict.ts';

const taken = (afterMs: number) =>
  verdictOn({ kind: 'taken', afterMs, at: 1000 + afterMs }, 'redis-0', 2000, 2000);

describe('the verdict on a pause', () => {
  it('is Mismatch where a write was taken while it should have been on', () => {
    expect(taken(300)).toMatchObject({
      proof: 'Mismatch',
      message: expect.stringContaining('Check whether a proxy'),
    });
  });

  it('a pause is Inconclusive if its write was checked only after the pause had ended', () => {
    expect(taken(2000)).toMatchObject({
      proof: 'Inconclusive',
      message: expect.stringContaining('The operator process was stalled'),
    });
  });

  it('is Confirmed where a write was held back while reads were answered', () => {
    const held = { kind: 'held', heldMs: 300, reads: 5, slowestReadMs: 1 } as const;
    expect(verdictOn(held, 'redis-0', 2000, 2000).proof).toBe('Confirmed');
  });
});

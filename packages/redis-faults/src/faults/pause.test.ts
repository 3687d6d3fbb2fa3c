import { describe, expect, it } from 'vitest';
import { EARLY_MS } from '../events.ts';
import { verdictOn } from './pause.ts';

describe('the verdict on a pause', () => {
  it.each([
    ['while it should have been active', 2000, 2000 - EARLY_MS - 1, 'Mismatch'],
    ['about when it ended', 2000, 2000 - EARLY_MS, 'Inconclusive'],
    ['after it ended', 2000, 2500, 'Inconclusive'],
    ['in the first half of a short one', 80, 39, 'Mismatch'],
    ['in the second half of a short one', 80, 40, 'Inconclusive'],
  ] as const)('if a write was taken %s: of %i ms, after %i ms: %s', (_, ms, afterMs, proof) => {
    const finding = {
      kind: 'taken',
      name: 'redis-0',
      afterMs,
      at: 1000 + afterMs,
      isPartial: false,
    } as const;
    expect(verdictOn(finding, 'redis-0', ms, ms).proof).toBe(proof);
  });

  it('is Confirmed where a write was held back while reads were answered', () => {
    const held = { kind: 'held', heldMs: 300, reads: 5, slowestReadMs: 1 } as const;
    expect(verdictOn(held, 'redis-0', 2000, 2000).proof).toBe('Confirmed');
  });
});

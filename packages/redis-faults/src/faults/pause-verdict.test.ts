import { describe, expect, it } from 'vitest';
import type { PauseFinding } from '../client/write-probe.ts';
import { EARLY_MS } from '../events.ts';
import { leastCertain, verdictOn } from './pause-verdict.ts';

describe('the verdict on a pause', () => {
  it.each([
    ['while it should have been active', 2000, 2000 - EARLY_MS - 1, 'Mismatch'],
    ['about when it ended', 2000, 2000 - EARLY_MS, 'Inconclusive'],
    ['after it ended', 2000, 2500, 'Inconclusive'],
    ['in the first half of a short one', 80, 39, 'Mismatch'],
    ['in the second half of a short one', 80, 40, 'Inconclusive'],
  ] as const)('if a write was taken %s: of %i ms, after %i ms: %s', (_, ms, afterMs, proof) => {
    const finding = { kind: 'taken', afterMs, at: 1000 + afterMs } as const;
    expect(verdictOn(finding, 'redis-0', ms, ms).proof).toBe(proof);
  });

  it('is Confirmed where a write was held back while reads were answered', () => {
    const held = { kind: 'held', heldMs: 300, reads: 5, slowestReadMs: 1 } as const;
    expect(verdictOn(held, 'redis-0', 2000, 2000).proof).toBe('Confirmed');
  });
});

describe('the finding of several servers', () => {
  const HELD = { kind: 'held', heldMs: 300, reads: 5, slowestReadMs: 1 } as const;
  const UNCLEAR = { kind: 'unclear', cause: 'silent', reason: 'r' } as const;
  const TAKEN = { kind: 'taken', afterMs: 5, at: 1005 } as const;
  const of = (...findings: PauseFinding[]) =>
    leastCertain(
      'the Cluster',
      findings.map((finding, i) => ({ server: { name: `redis-${i}` }, finding })),
    );

  it('is that of the server which is certainly not paused', () => {
    expect(of(HELD, UNCLEAR, TAKEN)).toEqual({ name: 'redis-2', finding: TAKEN });
  });

  it('is that of the server which may not be paused, and proves nothing', () => {
    const { finding, name } = of(HELD, UNCLEAR);
    expect(name).toBe('redis-1');
    expect(verdictOn(finding, name, 2000, 2000).proof).toBe('Inconclusive');
  });

  it('claims of all of them only what is true of each', () => {
    const other = { kind: 'held', heldMs: 200, reads: 9, slowestReadMs: 4 } as const;
    const finding = { kind: 'held', heldMs: 200, reads: 5, slowestReadMs: 4 };
    expect(of(HELD, other)).toEqual({ name: 'the Cluster', finding });
  });
});

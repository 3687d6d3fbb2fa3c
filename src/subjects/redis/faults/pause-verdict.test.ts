import { describe, expect, it } from 'vitest';
import type { PauseFinding } from '../client/write-probe.ts';
import { leastCertain, verdictOn } from './pause-verdict.ts';

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

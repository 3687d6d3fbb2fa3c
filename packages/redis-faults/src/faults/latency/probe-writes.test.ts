import { describe, expect, it } from 'vitest';
import { isSlow, type ProbeWrite, provenBy, provenOnAll } from './probe-writes.ts';

const T = 1_000_000;
const LATENCY_MS = 300;
const write = (change: Partial<ProbeWrite> = {}): ProbeWrite => ({
  at: T,
  tookMs: 280,
  readMs: 1,
  ...change,
});

describe('with a latency of 300 ms', () => {
  it.each([
    ['a write that took as long', {}, true],
    ['a write that took half as long', { tookMs: 150 }, true],
    ['a write that took less', { tookMs: 149 }, false],
    ['a write that took twice as long, up to a turn of the timer', { tookMs: 700 }, true],
    ['a write that took longer', { tookMs: 701 }, false],
    ['a read that took half as long', { readMs: 150 }, true],
    ['a read that was slow, too', { readMs: 151 }, false],
  ] as const)('only writes are slow or not: %s', (_, change, expected) => {
    expect(isSlow(write(change), LATENCY_MS)).toBe(expected);
  });
});

describe('slow writes for 3 s', () => {
  const span = { startedAt: T, until: T + 3000 };
  const writes = (count: number): ProbeWrite[] =>
    Array.from({ length: count }, (_, i) => write({ at: T + (i + 1) * 300 }));

  it.each([
    [10, 'Confirmed'],
    [8, 'Confirmed'],
    [7, 'Inconclusive'],
    [0, 'Inconclusive'],
  ] as const)('with %i slow writes: %s', (count, proof) => {
    expect(provenBy(writes(count), LATENCY_MS, span)).toMatchObject({ proof });
  });

  it.each([
    [[10], 'Confirmed', /^In all, 10 of 10 /],
    [[10, 8, 9], 'Confirmed', /^Of 3 servers, redis-1 .* for 80 % of the time/],
    [[10, 9, 7], 'Inconclusive', /^Of 3 servers, redis-2 .* for 70 % of the time/],
    [[], 'Inconclusive', /^In all, 0 of 0 /],
  ] as const)('are proven on all servers or none: %j', (counts, proof, message) => {
    const seen = new Map(counts.map((count, i) => [`redis-${i}`, writes(count)]));
    expect(provenOnAll(seen, LATENCY_MS, span)).toMatchObject({
      proof,
      message: expect.stringMatching(message),
    });
  });
});

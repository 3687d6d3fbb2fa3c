import { describe, expect, it } from 'vitest';
import type { CounterSample } from '../history/counter-sample.ts';
import { reportOfBurst } from './burst-report.ts';
import type { BurstResult } from './burst-result.ts';
import { GhostInvariant } from './counted-burst.ts';

const nodes = ['a', 'b'];
const T = 1_000_000;
const fault = { startedAt: T, endedAt: T + 20, until: T + 5000 };

/** `a`: what of it the node a allowed; half of it by default. */
function burst(change: Partial<BurstResult> = {}, a?: number): BurstResult {
  const allowed = change.allowed ?? 20;
  const byA = a ?? Math.ceil(allowed / 2);
  return {
    requests: 20,
    allowed,
    denied: 20 - allowed,
    errors: 0,
    unanswered: 0,
    startedAt: T,
    endedAt: T + 20,
    sendSpanMs: 1,
    sent: new Map([
      ['a', 10],
      ['b', 10],
    ]),
    allowedBy: new Map([
      ['a', byA],
      ['b', allowed - byA],
    ]),
    allowedAt: Array.from({ length: allowed }, (_, i) => T + i),
    outcomes: [],
    ...change,
  };
}

function sample(at: number, a: number, b: number, stored: number): CounterSample {
  const admitted = new Map([
    ['a', a],
    ['b', b],
  ]);
  return { readAt: at, endedAt: at + 1, admitted, stored, elsewhere: [], problems: [] };
}

function watched(result: BurstResult, a: number, b: number, stored: number): GhostInvariant {
  const ghosts = new GhostInvariant({ nodes, limit: 10 });
  ghosts.add(sample(T - 100, 0, 0, 0));
  ghosts.setBurst(result, T + 20);
  for (const at of [T + 100, T + 200]) ghosts.add(sample(at, a, b, stored));
  return ghosts;
}

describe('ghosts', () => {
  it('say that Redis held all counts only once it held those of the whole burst', () => {
    const ghosts = new GhostInvariant({ nodes, limit: 10 });
    ghosts.setBurst(burst(), T + 20);
    // Read its nodes in the midst of the burst, and Redis a moment later.
    ghosts.add(sample(T + 21, 2, 2, 4));
    ghosts.add(sample(T + 100, 10, 10, 6));
    ghosts.add(sample(T + 200, 10, 10, 20));
    expect(ghosts.reading(fault).evidence).toContain('Redis held all counts 201 ms after the burst began');
  });

  it('are detected where sender and nodes agree that more than the limit was admitted', () => {
    const reading = watched(burst(), 10, 10, 20).reading(fault);
    expect(reading).toMatchObject({
      measures: [{ name: 'admitted', value: 20, bound: 10, unit: 'requests', atLeast: true }, {}, {}, {}],
      summary: '>= 20/10',
      brokenAt: T + 10,
      detectedAt: T + 101,
      shortfalls: [],
    });
    expect(reading.evidence).toContain('Every request was admitted: the true over-admission is at least 10');
  });

  it("over-admission is detected once the counters of pods reach the sender's count", () => {
    const ghosts = watched(burst(), 9, 6, 15);
    expect(ghosts.reading(fault).detectedAt).toBeUndefined();
    ghosts.add(sample(T + 300, 10, 10, 20));
    // By then the sender had got the eleventh answer long ago.
    const detected = { summary: '>= 20/10', brokenAt: T + 10, detectedAt: T + 301 };
    expect(ghosts.reading(fault)).toMatchObject(detected);
    ghosts.add(sample(T + 400, 10, 11, 21));
    expect(ghosts.reading(fault)).toMatchObject(detected);
  });

  it('are detected at the end of the burst where the counters were read before', () => {
    const ghosts = new GhostInvariant({ nodes, limit: 10 });
    ghosts.add(sample(T + 15, 10, 10, 3));
    ghosts.setBurst(burst(), T + 20);
    expect(ghosts.reading(fault).detectedAt).toBe(T + 20);
  });

  it('are not "at least" where some requests were denied', () => {
    const reading = watched(burst({ allowed: 15 }), 8, 7, 15).reading(fault);
    expect(reading.detectedAt).toBeDefined();
    expect(reading.evidence.join()).not.toContain('at least');
    expect(watched(burst({ requests: 30 }), 10, 10, 20).reading(fault).summary).toBe('>= 20/10');
    expect(reading.measures[0]).toEqual({ name: 'admitted', value: 15, bound: 10, unit: 'requests' });
    expect(reading.summary).toBe('15/10');
  });

  it('are not there, with a whole proof, where exactly the limit was admitted', () => {
    const reading = watched(burst({ allowed: 10 }, 6), 6, 4, 10).reading(fault);
    expect(reading).toMatchObject({ summary: '10/10', shortfalls: [] });
    expect(reading.detectedAt).toBeUndefined();
  });

  it.each([
    ['the nodes deny what the sender was allowed', burst(), 5, 5, 10, /allowed 20, the nodes count 10/],
    ['both are above the limit and not the same', burst(), 10, 9, 19, /allowed 20, the nodes count 19/],
    [
      'the sender was denied what the nodes count',
      burst({ allowed: 10 }),
      10,
      10,
      20,
      /allowed 10, the nodes count 20/,
    ],
    [
      'a node denies what it allowed and another makes up for it',
      burst({}, 11),
      10,
      10,
      20,
      /a counts 10, the sender was allowed 11 by it, b counts 10, the sender was allowed 9 by it/,
    ],
    ['Redis counted something else', burst({ allowed: 10 }), 6, 4, 9, /Redis counted 9, the nodes 10/],
    [
      'a request was not answered',
      burst({ allowed: 10, denied: 9, unanswered: 1 }),
      6,
      4,
      10,
      /1 of 20 requests/,
    ],
    ['a node got nothing', burst({ allowed: 10, sent: new Map([['a', 20]]) }), 10, 0, 10, /b got no request/],
  ])('are neither detected nor disproven when %s', (_, result, a, b, stored, expected) => {
    const reading = watched(result, a, b, stored).reading(fault);
    expect(reading.detectedAt).toBeUndefined();
    expect(reading.shortfalls.join('\n')).toMatch(expected);
  });

  it('samples a second apart disprove over-admission: what was admitted stays counted', () => {
    const ghosts = new GhostInvariant({ nodes, limit: 10 });
    ghosts.setBurst(burst({ allowed: 10 }, 6), T + 20);
    for (const at of [T + 900, T + 1800]) ghosts.add(sample(at, 6, 4, 10));
    expect(ghosts.reading({ ...fault, until: T + 500 }).shortfalls).toEqual([]);
  });

  it('prove nothing before the burst was reported', () => {
    const ghosts = new GhostInvariant({ nodes, limit: 10 });
    for (const at of [T + 100, T + 200]) ghosts.add(sample(at, 10, 10, 20));
    const reading = ghosts.reading(fault);
    expect(reading.detectedAt).toBeUndefined();
    expect(reading.shortfalls).toContain('the burst has not been reported');
  });
});

describe('the proof of a burst', () => {
  it.each([
    ['every request was answered', {}, 'Confirmed'],
    [
      'some were refused',
      { allowed: 10, denied: 8, errors: 2, firstError: 'a: POST /check answered 500' },
      'Inconclusive',
    ],
    ['they were not sent together', { allowed: 10, denied: 10, sendSpanMs: 4000 }, 'Inconclusive'],
    ['some were not answered', { allowed: 10, denied: 8, unanswered: 2 }, 'Inconclusive'],
  ] as const)('where %s', (_, change, proof) => {
    expect(reportOfBurst(burst(change), 2)).toMatchObject({ proof, startedAt: T, endedAt: T + 20 });
  });
});

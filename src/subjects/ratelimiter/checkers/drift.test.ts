import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DriftUnderTest } from '../../../../test/fixtures/subjects/ratelimiter/drift-under-test.ts';
import type { CounterSample } from '../history/counter-sample.ts';
import { DriftInvariant, underCounted } from './drift.ts';
import { type FaultSpan, toleratedGap } from './watch-record.ts';

const pods = ['a', 'b', 'c'];
const T = 1_000_000;

function sample(
  at: number,
  counts: number[],
  stored: number | undefined,
  elsewhere: string[] = [],
): CounterSample {
  return {
    readAt: at,
    endedAt: at + 2,
    admitted: new Map(counts.map((count, i) => [pods[i] ?? '', count])),
    stored,
    elsewhere,
    problems: stored === undefined ? ['Redis was silent'] : [],
  };
}

function invariant(lag: number | undefined = 1): DriftUnderTest {
  return new DriftUnderTest({ pods, limit: 10, tolerance: 5, lag });
}

const whole = { startedAt: T, endedAt: T + 2000, until: T + 2000 };

/** The fault is on, and nobody knows when it will end. */
const on = { startedAt: T, until: T + 100_000 };

/** A watch in which nothing is missing and nothing drifts, but for what `drifted` says of a moment. */
function wholeWatch(
  skip: (at: number) => boolean = () => false,
  drifted: (at: number) => boolean = () => false,
): DriftUnderTest {
  const drift = invariant(1);
  for (let at = T; at <= T + 3000; at += 100) {
    if (!skip(at)) drift.add(sample(at, drifted(at) ? [9, 9, 9] : [0, 0, 0], 0), whole);
  }
  for (const pod of pods) {
    for (let i = 0; i < 10; i += 1) {
      drift.sent(pod);
      drift.answered(pod, false, T + 100 * i);
    }
  }
  return drift;
}

/** Figures of the requests to the pod `a`, of which two were on their way at the last sample. */
function figuresWithTwoOnTheirWay(drift: DriftInvariant): Record<string, number> {
  drift.inFlight({ a: 2 }, T + 100);
  const request = { pod: 'a', caller: 'Steady', outcome: 'Admitted' } as const;
  drift.request({ ...request, sentAt: T + 90, endedAt: T + 110 });
  drift.request({ ...request, sentAt: T + 105, endedAt: T + 112 });
  const { measures } = drift.reading(on);
  return Object.fromEntries(measures.map(({ name, value }) => [name, value]));
}

it('counts a request once that was on its way at a sample and ended after it', () => {
  const drift = new DriftInvariant({ pods, limit: 10, tolerance: 5, lag: 1 });
  expect(figuresWithTwoOnTheirWay(drift)).toMatchObject({ requests: 3, admitted: 2 });
  drift.request({
    pod: 'a',
    caller: 'Steady',
    outcome: 'Error',
    cause: 'Unreachable',
    sentAt: T + 95,
    endedAt: T + 120,
  });
  const requests = drift.reading(on).measures.find(({ name }) => name === 'requests');
  expect(requests?.value).toBe(2);
});

it('counts the requests to a pod whose name every object knows', () => {
  const drift = new DriftInvariant({
    pods: ['constructor'],
    limit: 10,
    tolerance: 5,
    lag: 1,
  });
  const requests = drift.reading(on).measures.find(({ name }) => name === 'requests');
  expect(requests?.value).toBe(0);
});

it('says what was left out of the traffic, with what to do', () => {
  const drift = wholeWatch();
  drift.leftOut(1);
  expect(drift.reading(whole).shortfalls).toEqual([expect.stringMatching(/left out \(1 request\).* 1000 /)]);
});

describe('drift', () => {
  it('is detected by two complete samples in a row above tolerance and lag', () => {
    const drift = invariant();
    drift.add(sample(T, [2, 2, 2], 0), whole);
    drift.add(sample(T + 100, [3, 2, 2], 0), whole);
    expect(drift.reading(whole).detectedAt).toBeUndefined();
    drift.add(sample(T + 200, [3, 3, 2], 0), whole);
    expect(drift.reading(whole)).toMatchObject({
      measures: [{ name: 'drift', value: 8, bound: 6, unit: 'requests' }, {}, {}, {}, {}, {}, {}],
      summary: '8 > 6; 0/10',
      detectedAt: T + 202,
      brokenAt: T + 100,
    });
  });

  it('drift begins when traffic exceeds the bound, not when a sample shows it', () => {
    const drift = invariant();
    for (let i = 0; i < 9; i += 1) drift.answered('a', true, T + i);
    drift.add(sample(T + 100, [9, 0, 0], 1), whole);
    drift.add(sample(T + 200, [9, 0, 0], 1), whole);
    // Redis held 1 at most: the eighth admitted answer was the seventh it did not know of.
    expect(drift.reading(whole).brokenAt).toBe(T + 7);
  });

  it('takes no answer for the moment of the break that came after the sample', () => {
    const drift = invariant();
    drift.add(sample(T + 100, [9, 0, 0], 1), whole);
    for (let i = 0; i < 9; i += 1) drift.answered('a', true, T + 150 + i);
    drift.add(sample(T + 200, [9, 0, 0], 1), whole);
    expect(drift.reading(whole).brokenAt).toBe(T + 100);
  });

  it('stays detected when the counters come together again', () => {
    const drift = invariant();
    for (const [i, stored] of [0, 0, 21, 21].entries())
      drift.add(sample(T + 100 * i, [7, 7, 7], stored), whole);
    expect(drift.reading(whole)).toMatchObject({ summary: '21 > 6; 0/10', detectedAt: T + 102 });
  });

  it('is not detected on a lag that nobody measured', () => {
    const drift = new DriftUnderTest({ pods, limit: 10, tolerance: 5, lag: undefined });
    for (const at of [T, T + 100, T + 200]) drift.add(sample(at, [9, 9, 9], 0), whole);
    const reading = drift.reading(whole);
    expect(reading.detectedAt).toBeUndefined();
    expect(reading.shortfalls.join()).toContain('lag');
  });

  it.each([
    [[2, 2, 2], 0, '6 <= 6; 0/10'],
    [[1, 1, 1], 3, '0 <= 6; 0/10'],
    [[3, 2, 2], 0, '7 > 6; 0/10'],
  ])('shows %j beside %d in Redis as %s', (counts, stored, summary) => {
    const drift = invariant();
    drift.add(sample(T, counts, stored), whole);
    expect(drift.reading(whole).summary).toBe(summary);
  });

  it('tells what became of the requests', () => {
    const drift = wholeWatch();
    for (const admitted of [true, true, false]) {
      drift.sent('a');
      drift.answered('a', admitted, T + 950);
    }
    drift.sent('a');
    // The pod could not decide, which is no denial.
    drift.ended({ pod: 'a', outcome: 'Error', cause: 'ServerError', endedAt: T + 960 });
    drift.sent('b');
    drift.timeouts('b');
    const { evidence, measures } = drift.reading(whole);
    expect(Object.fromEntries(measures.map(({ name, value }) => [name, value]))).toEqual({
      drift: 0,
      overAdmission: 0,
      requests: 35,
      admitted: 2,
      rejected: 31,
      errors: 1,
      timeouts: 1,
    });
    expect(evidence).toContainEqual(expect.stringMatching(/^Outcome for callers: 2 of 35 .* 31 .* 1 .* 8 /));
  });

  it('knows whether the counters were ever further apart than without a fault', () => {
    const drift = invariant();
    drift.add(sample(T, [1, 1, 1], 2), whole);
    expect(drift.drifted).toBe(false);
    drift.add(sample(T, [1, 1, 2], 2), whole);
    expect(drift.drifted).toBe(true);
  });

  it('names the ceiling and the widest counts', () => {
    const drift = invariant();
    drift.add(sample(T, [10, 10, 10], 0), whole);
    const { evidence } = drift.reading(whole);
    expect(evidence.join('\n')).toContain('3 pods x limit 10 = 30');
    expect(evidence[0]).toMatch(/\+0\.00 s.* 30 .* a 10, b 10, c 10.* 0$/);
  });
});

describe('what is seen while the fault is not on', () => {
  it.each([
    ['before its start', { ...whole, startedAt: T + 500 }],
    ['before its start was seen', { until: T + 2000 }],
    ['after its end', { ...whole, endedAt: T - 100 }],
    ['when what felt it has gone', { ...on, doubtfulFrom: T - 100 }],
  ])('is no doing of the fault: %s', (_, fault) => {
    const drift = invariant();
    for (const at of [T, T + 100, T + 200]) drift.add(sample(at, [9, 9, 9], 0), fault);
    const reading = drift.reading(fault);
    expect(reading.detectedAt).toBeUndefined();
    expect(reading.shortfalls.join('\n')).toMatch(/27 apart .*not of .*fault/);
  });
});

it('reports over-admission next to the drift, and does not judge it', () => {
  const drift = wholeWatch();
  for (let i = 0; i < 113; i += 1) {
    const pod = pods[i % 3] ?? '';
    drift.sent(pod);
    drift.answered(pod, true, T + 1000 + i);
  }
  const reading = drift.reading(whole);
  expect(reading.detectedAt).toBeUndefined();
  expect(reading.measures[1]).toEqual({ name: 'overAdmission', value: 103, unit: 'requests', atLeast: true });
  expect(reading.summary).toBe('0 <= 6; >= 113/10');
  expect(reading.evidence).toContainEqual(expect.stringMatching(/ 113 of limit 10 .*: a 38, b 38, c 37$/));
});

describe('"at least"', () => {
  it('is said where each pod went as far as the limit, or every request was admitted', () => {
    const drift = invariant();
    drift.add(sample(T, [10, 10, 10], 0), whole);
    expect(drift.reading(whole)).toMatchObject({ measures: [{ atLeast: true }, {}, {}, {}, {}, {}, {}] });
    expect(drift.reading(whole).summary).toBe('>= 30 > 6; 0/10');
  });

  it('"at least" is not stated of small drift that was uncounted, or counted late', () => {
    const drift = invariant();
    for (let i = 0; i < 113; i += 1) {
      drift.sent('a');
      drift.answered('a', true, T + i);
    }
    drift.add(sample(T + 200, [3, 0, 0], 0), whole);
    const reading = drift.reading(whole);
    expect(reading.measures[0]).toEqual({ name: 'drift', value: 3, bound: 6, unit: 'requests' });
    expect(reading.summary).toBe('3 <= 6; >= 113/10');
  });

  it('is said of a drift of all that was sent', () => {
    const drift = invariant();
    for (let i = 0; i < 20; i += 1) {
      drift.sent(i % 2 === 0 ? 'a' : 'b');
      drift.answered(i % 2 === 0 ? 'a' : 'b', true, T + i);
    }
    drift.add(sample(T + 200, [10, 10, 0], 0), whole);
    expect(drift.reading(whole).summary).toBe('>= 20 > 6; >= 20/10');
  });
});

describe('a look out of its turn', () => {
  it('an extra poll is due once admissions exceed Redis, until two polls confirm', () => {
    const drift = invariant();
    drift.add(sample(T, [0, 0, 0], 0), on);
    for (let i = 0; i < 6; i += 1) drift.answered('a', true, T + i);
    expect(drift.urgent).toBe(false);
    drift.answered('a', true, T + 7);
    expect(drift.urgent).toBe(true);
    drift.add(sample(T + 10, [7, 0, 0], 0), on);
    expect(drift.urgent).toBe(true);
    drift.add(sample(T + 30, [7, 0, 0], 0), on);
    expect(drift.urgent).toBe(false);
    expect(drift.reading(on)).toMatchObject({ brokenAt: T + 7, detectedAt: T + 32 });
  });

  it('is not worth it where Redis has caught up', () => {
    const drift = invariant();
    for (let i = 0; i < 9; i += 1) drift.answered('a', true, T + i);
    drift.add(sample(T + 10, [9, 0, 0], 9), on);
    expect(drift.urgent).toBe(false);
  });
});

describe('the proof that nothing drifted', () => {
  it('is whole when everything was seen', () => {
    expect(wholeWatch().reading(whole)).toMatchObject({ summary: '0 <= 6; 0/10', shortfalls: [] });
  });

  const gaps: [
    string,
    () => DriftUnderTest,
    Partial<Omit<FaultSpan, 'endedAt'>> & { endedAt?: number | undefined },
    RegExp,
  ][] = [
    ['the end of the fault was not seen', () => wholeWatch(), { endedAt: undefined }, /end of the fault/],
    ['the fault ended early', () => wholeWatch(), { endedAt: T + 500 }, /ended 1500 ms before its time/],
    [
      'samples are missing',
      () => wholeWatch((at) => at > T + 500 && at < T + 2000),
      {},
      /no complete counter sample for 1\d00 ms/,
    ],
    [
      'there are fewer than two samples within the fault',
      () => wholeWatch((at) => at > T && at <= T + 2000),
      {},
      /only 1 complete counter sample/,
    ],
    [
      'the last of two samples ended after the fault',
      () => wholeWatch(),
      { endedAt: T + 101 },
      /only 1 complete counter sample/,
    ],
    [
      'samples are missing for more than a quarter of a short fault',
      () => wholeWatch((at) => at > T + 500 && at < T + 800),
      { endedAt: T + 1000, until: T + 1000 },
      /no complete counter sample for 300 ms/,
    ],
    [
      'the window ended',
      () => {
        const drift = wholeWatch();
        drift.add(sample(T + 3100, [1, 1], 3, ['c']), whole);
        return drift;
      },
      {},
      /window ended/,
    ],
    [
      'requests that were not answered in time could tip it',
      () => {
        const drift = wholeWatch();
        for (let i = 0; i < 7; i += 1) {
          drift.sent('b');
          drift.timeouts('b');
        }
        return drift;
      },
      {},
      /7 requests without .*answer/,
    ],
    [
      'requests that are open still, or were answered improperly, could tip it',
      () => {
        const drift = wholeWatch();
        for (let i = 0; i < 7; i += 1) drift.sent('b');
        return drift;
      },
      {},
      /7 requests without .*answer/,
    ],
    [
      'one sample was above the bound',
      () =>
        wholeWatch(
          () => false,
          (at) => at === T + 1000,
        ),
      {},
      /single sample/,
    ],
    [
      'the counters parted when the fault was over',
      () =>
        wholeWatch(
          () => false,
          (at) => at >= T + 2100 && at < T + 2500,
        ),
      {},
      /27 apart 100 ms after .*not of .*fault/,
    ],
    [
      'what felt the fault was lost before its end',
      () => wholeWatch(),
      { doubtfulFrom: T + 800 },
      /no probe .*after 1200 ms before/,
    ],
    [
      'a pod answered when the fault was over',
      () => wholeWatch(),
      { startedAt: T, endedAt: T + 850, until: T + 850 },
      /^a answered 9 checks .* 10 /m,
    ],
    [
      'the pods count what nobody was admitted',
      () => {
        const drift = wholeWatch();
        drift.add(sample(T + 3100, [2, 0, 0], 2), whole);
        return drift;
      },
      {},
      /^a counts 2 admitted, .*sender had 0 /m,
    ],
    [
      'the counters deny what was admitted',
      () => {
        const drift = wholeWatch();
        for (let i = 0; i < 4; i += 1) drift.answered('a', true, T + i);
        return drift;
      },
      {},
      /^a counts 0 admitted, .*sender had 4 /m,
    ],
  ];
  it.each(gaps)('is not whole when %s', (_, make, change, expected) => {
    const { endedAt, ...rest } = { ...whole, ...change };
    const span = endedAt === undefined ? rest : { ...rest, endedAt };
    const { shortfalls } = make().reading(span);
    expect(shortfalls.join('\n')).toMatch(expected);
  });

  it('is not whole when the bound is so high that no drift could break it', () => {
    const withLag = (lag: number): string => {
      const drift = new DriftUnderTest({ pods, limit: 3, tolerance: 5, lag });
      for (let at = T; at <= T + 3000; at += 100) drift.add(sample(at, [3, 3, 3], 0), whole);
      return drift.reading(whole).shortfalls.join('\n');
    };
    expect(withLag(4)).toMatch(/exceed 3 pods x limit 3 = 9, .* 9: raise/);
    expect(withLag(3)).not.toMatch(/cannot exceed/);
  });

  it('is not whole when a pod got fewer checks than the limit', () => {
    const drift = invariant();
    for (let at = T; at <= T + 3000; at += 100) drift.add(sample(at, [0, 0, 0], 0), whole);
    for (let i = 0; i < 10; i += 1) for (const pod of ['a', 'b']) drift.answered(pod, false, T + i);
    expect(drift.reading(whole).shortfalls).toEqual([expect.stringMatching(/^c answered 0 checks .*10/)]);
  });

  it('is not whole when the sender counts and nothing was admitted in the fault', () => {
    const shortfalls = (admittedAt?: number): readonly string[] => {
      const settings = { pods, limit: 10, tolerance: 5, lag: 1, source: 'Sender' } as const;
      const drift = new DriftUnderTest(settings);
      const count = admittedAt === undefined ? 0 : 1;
      for (let at = T; at <= T + 3000; at += 100) drift.add(sample(at, [count, 0, 0], count), whole);
      if (admittedAt !== undefined) drift.answered('a', true, admittedAt);
      for (const pod of pods) for (let i = 0; i < 10; i += 1) drift.answered(pod, false, T + 100 + i);
      return drift.reading(whole).shortfalls;
    };
    expect(shortfalls()).toEqual([expect.stringMatching(/^no request .*admitted/)]);
    expect(shortfalls(T + 50)).toEqual([]);
    expect(shortfalls(T - 50)).toHaveLength(1);
  });

  it('bears few open requests that could not tip it, and any number that never left', () => {
    const drift = wholeWatch();
    for (let i = 0; i < 6; i += 1) drift.sent('b');
    for (let i = 0; i < 7; i += 1) drift.sent('b')();
    expect(drift.reading(whole).shortfalls).toEqual([]);
    expect(drift.reading(whole).evidence.join('\n')).toMatch(
      /36 checks, 0 admitted, 0 timeouts, 6 open .*; answered by a 10, b 10, c 10/,
    );
  });
});

describe('any watch', () => {
  const samples = fc.array(
    fc.record({
      wait: fc.integer({ min: 1, max: 1500 }),
      counts: fc.tuple(fc.nat(10), fc.nat(10), fc.nat(10)),
      stored: fc.option(fc.nat(30), { nil: undefined, freq: 5 }),
      admitted: fc.nat(5),
    }),
    { maxLength: 40 },
  );

  it('drift is detected by exactly two complete samples in a row above the bound', {
    timeout: 30_000,
  }, () => {
    fc.assert(
      fc.property(samples, fc.nat(4), (steps, lag) => {
        const drift = invariant(lag);
        let at = T;
        let above = 0;
        let expected = false;
        let widest = 0;
        for (const { wait, counts, stored, admitted } of steps) {
          for (let i = 0; i < admitted; i += 1) drift.answered('a', true, at);
          at += wait;
          drift.add(sample(at, counts, stored), on);
          if (stored !== undefined) {
            const apart = counts[0] + counts[1] + counts[2] - stored;
            widest = Math.max(widest, apart);
            above = apart > 5 + lag ? above + 1 : 0;
            expected ||= above >= 2;
          }
        }
        const reading = drift.reading(on);
        expect(reading.detectedAt !== undefined).toBe(expected);
        expect(reading.measures[0]?.value).toBe(widest);
        if (expected) expect(reading.brokenAt).toBeLessThan(reading.detectedAt ?? 0);
        else expect(reading.brokenAt).toBeUndefined();
      }),
      { numRuns: 200 },
    );
  });

  it('proves nothing across a gap', { timeout: 30_000 }, () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 20 }), fc.integer({ min: 1, max: 10 }), (from, length) => {
        const [start, end] = [T + from * 100, T + (from + length) * 100];
        const drift = wholeWatch((at) => at > start && at < end);
        const gap = drift.reading(whole).shortfalls.length > 0;
        expect(gap).toBe(end - start > toleratedGap(2000));
      }),
      { numRuns: 100 },
    );
  });
});
it.each([
  ['exactly none where Redis holds as many as were admitted', 30, 30, { value: 0 }],
  ['at least what is missing', 30, 20, { value: 10, atLeast: true }],
  ['at least none where Redis counts others, too', 30, 110, { value: 0, atLeast: true }],
])('tells lost counts: %s', (_, admitted, stored, expected) => {
  expect(underCounted(admitted, stored)).toEqual({ name: 'underCounted', unit: 'requests', ...expected });
});

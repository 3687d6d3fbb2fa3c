import { describe, expect, it } from 'vitest';
import { DriftUnderTest } from '../../../../test/fixtures/subjects/ratelimiter/drift-under-test.ts';
import { EARLY_MS } from '../../redis/events.ts';
import type { CounterSample, CountSource } from '../history/counter-sample.ts';
import type { FaultSpan } from './watch-record.ts';

const pods = ['a', 'b'];
const T = 1_000_000;
const fault = { startedAt: T, endedAt: T + 2000, until: T + 2000 };
const BOUND = 6;

const made = (source?: CountSource) =>
  new DriftUnderTest({ pods, limit: 10, tolerance: 5, lag: 1, ...(source && { source }) });

const sample = (at: number, [a = 0, b = 0]: readonly number[], stored: number): CounterSample => ({
  readAt: at,
  endedAt: at + 2,
  admitted: new Map([
    ['a', a],
    ['b', b],
  ]),
  stored,
  elsewhere: [],
  problems: [],
});

const inFault = (drift: DriftUnderTest, ...drifts: readonly number[]): DriftUnderTest => {
  for (const [i, each] of drifts.entries()) drift.add(sample(T + 100 * i, [each], 0), fault);
  return drift;
};

/** A watch of which nothing is missing. */
const watched = (source?: CountSource, until = T + 2500): DriftUnderTest => {
  const drift = made(source);
  for (let at = T; at <= until; at += 100) drift.add(sample(at, [0, 0], 0), fault);
  for (const pod of pods) {
    for (let i = 0; i < 10; i += 1) {
      drift.sent(pod);
      drift.answered(pod, false, T + i);
    }
  }
  return drift;
};
const missing = (drift: DriftUnderTest, change: Partial<FaultSpan> = {}) =>
  drift.reading({ ...fault, ...change }).shortfalls;

describe('two samples above the bound', () => {
  it('decide once, whatever follows', () => {
    expect(inFault(made(), 7, 7, 9, 9).reading(fault)).toMatchObject({ brokenAt: T, detectedAt: T + 102 });
  });

  it('may end with the fault, and not later', () => {
    const detectedWith = (endedAt: number) => {
      const drift = made();
      for (const at of [T, T + 100]) drift.add(sample(at, [7], 0), { ...fault, endedAt });
      return drift.reading({ ...fault, endedAt }).detectedAt;
    };
    expect([detectedWith(T + 102), detectedWith(T + 101)]).toEqual([T + 102, undefined]);
  });
});

describe('another sample is urgent', () => {
  it('not before admissions could exceed the bound, with what Redis counted', () => {
    const drift = made();
    for (let i = 0; i < 9; i += 1) drift.answered('a', true, T + i);
    drift.add(sample(T + 10, [9], 9), fault);
    for (let i = 0; i < BOUND; i += 1) drift.answered('a', true, T + 20 + i);
    expect(drift.urgent).toBe(false);
    drift.answered('a', true, T + 30);
    expect(drift.urgent).toBe(true);
  });

  it('not due to a drift that is not of the fault', () => {
    const drift = made();
    drift.add(sample(T - 100, [9], 0), fault);
    expect(drift.urgent).toBe(false);
  });
});

describe('figures of a drift', () => {
  it('"at least" needs more requests than the limit, all of them admitted', () => {
    const atLeastOf = (admitted: number, rejected: number) => {
      const drift = made();
      for (let i = 0; i < admitted + rejected; i += 1) {
        drift.sent('a');
        drift.answered('a', i < admitted, T + i);
      }
      drift.add(sample(T + 100, [admitted], 0), fault);
      return drift
        .reading(fault)
        .measures.slice(0, 2)
        .map(({ atLeast = false }) => atLeast);
    };
    expect(atLeastOf(10, 0)).toEqual([false, false]);
    expect(atLeastOf(11, 0)).toEqual([true, true]);
    expect(atLeastOf(11, 1)).toEqual([false, false]);
  });

  it('have what each pod admitted at most, as it reported or as the sender saw', () => {
    const drift = made();
    for (let i = 0; i < 3; i += 1) drift.answered('a', true, T + i);
    drift.add(sample(T + 10, [2, 4], 5), fault);
    drift.add(sample(T + 20, [1, 1], 5), fault);
    expect(drift.admitted).toEqual(
      new Map([
        ['a', 3],
        ['b', 4],
      ]),
    );
    expect(drift.traffic.get('a')).toMatchObject({ admitted: 3, answered: 3 });
  });

  it('are shown with the outcome for callers, and what the limit had room for', () => {
    const evidenceOf = (admitted: number, errors = 0) => {
      const drift = watched();
      for (let i = 0; i < admitted + errors; i += 1) {
        drift.sent('a');
        drift.ended({
          pod: 'a',
          endedAt: T + 50 + i,
          ...(i < admitted ? { outcome: 'Admitted' } : { outcome: 'Error', cause: 'ServerError' }),
        });
      }
      drift.sent('b');
      drift.timeouts('b');
      return drift.reading(fault).evidence;
    };
    expect(evidenceOf(10)).toEqual([
      expect.stringMatching(/ 0 apart, /),
      expect.stringMatching(/ 2 pods x limit 10 = 20$/),
      expect.stringMatching(/ 5 .* 1$/),
      expect.stringMatching(/ 10 of limit 10 .*: a 10, b 0$/),
      expect.stringMatching(/ 10 admitted, 1 timeouts; /),
      expect.stringMatching(/ 10 of 31 admitted, 20 rejected$/),
      expect.any(String),
    ]);
    expect(evidenceOf(8, 3)[5]).toMatch(/ 8 of 32 admitted, 20 rejected, 3 errors, .* 2 more$/);
    expect(inFault(made(), 0).reading(fault).evidence).toHaveLength(4);
  });
});

describe('a proof that nothing drifted', () => {
  it('needs the fault until its planned end, or until it ended early', () => {
    const last = fault.until - EARLY_MS;
    expect(missing(watched(), { endedAt: last })).toEqual([]);
    expect(missing(watched(), { doubtfulFrom: last })).toEqual([]);
    expect(missing(watched(), { doubtfulFrom: last - 1 })).toEqual([expect.stringMatching(/ 251 ms /)]);
    expect(missing(watched(), { endedAt: T + 800, doubtfulFrom: T + 800 })).toEqual([
      expect.stringMatching(/ 1200 ms /),
    ]);
    const { endedAt: _, ...open } = fault;
    const unseen = watched().reading({ ...open, doubtfulFrom: T + 800 }).shortfalls;
    expect(unseen).toEqual([expect.any(String), expect.stringMatching(/ 1200 ms /)]);
  });

  it('needs samples until the end of the watch only', () => {
    const late = () => {
      const drift = watched();
      drift.add(sample(T + 9000, [0, 0], 0), fault);
      return drift;
    };
    expect(missing(late(), { watchTo: T + 2600 })).toEqual([]);
    expect(missing(late())).toEqual([expect.stringMatching(/ 6500 ms$/)]);
  });

  it('lacks open requests that could exceed the bound, with the drift so far', () => {
    const withOpen = (open: number, drift: number) => {
      const record = watched();
      for (let i = 0; i < drift; i += 1) record.answered('a', true, T + 20 + i);
      record.add(sample(T + 2600, [drift], 0), fault);
      for (let i = 0; i < open; i += 1) record.sent('b');
      return missing(record);
    };
    expect(withOpen(3, 3)).toEqual([]);
    expect(withOpen(4, 3)).toEqual([expect.stringMatching(/^4 requests /)]);
  });

  it('lacks only the second sample if one was above the bound, and nothing is open', () => {
    const drift = made();
    for (let at = T; at <= T + 2500; at += 100) drift.add(sample(at, [at === T + 500 ? 7 : 0], 0), fault);
    for (const pod of pods) for (let i = 0; i < 10; i += 1) drift.answered(pod, false, T + i);
    expect(missing(drift)).toEqual([expect.stringMatching(/single sample/)]);
  });

  it('allows open requests to be counted, and admissions after the last sample', () => {
    const counting = (a: number) => {
      const drift = watched();
      drift.sent('a');
      drift.add(sample(T + 2600, [a], a), fault);
      return drift;
    };
    expect(missing(counting(1))).toEqual([]);
    expect(missing(counting(2))).toEqual([expect.stringMatching(/^a counts 2 .* 0 /)]);
    const ahead = watched();
    ahead.answered('a', true, T + 2600);
    expect(missing(ahead)).toEqual([]);
  });

  it('needs an admission if the count is that of the sender', () => {
    expect(missing(watched('Sender'))).toEqual([expect.stringMatching(/^no request was admitted /)]);
    expect(missing(watched())).toEqual([]);
  });
});

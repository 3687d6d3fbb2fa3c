import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { found, judgeDrift, namesOf } from '../../../../test/fixtures/subjects/ratelimiter/judged.ts';
import type { CallerRequest, EventOf, HistoryEvent } from '../../history/events.ts';
import type { FaultTimes } from '../../history/recorded.ts';
import { type DriftSetup, hasDrifted, isUrgent, underCounted } from './drift.ts';

const pods = ['a', 'b', 'c'];
const T = 1_000_000;

const PLAN = { full: 10, tolerance: 5, settleMs: 1000, lingerMs: 0, failsOver: false };
const BASELINE = { writeP50Ms: 1, writeMaxMs: 2, lag: 1, denying: { limit: 10, sent: 20, admitted: 10 } };

type Times = Readonly<Pick<FaultTimes, 'until'> & Partial<Record<keyof FaultTimes, number | undefined>>>;
const whole: Times = { startedAt: T, endedAt: T + 2000, until: T + 2000 };
/** The fault is active, and its end is unknown. */
const active: Times = { startedAt: T, until: T + 100_000 };

function* fault({ doubtfulFrom, endedAt, startedAt, until }: Times): Generator<HistoryEvent> {
  yield { kind: 'fault', step: 'Planned', at: T, until };
  const times = {
    ...(startedAt !== undefined && { startedAt }),
    ...(endedAt !== undefined && { endedAt }),
  };
  yield { kind: 'fault', step: 'Reported', proof: 'Confirmed', message: '', evidence: [], ...times };
  if (doubtfulFrom !== undefined) yield { kind: 'fault', step: 'Doubted', at: doubtfulFrom };
}

/** @param admitted by each pod */
function sample(
  at: number,
  admitted: readonly number[],
  stored: number | undefined,
  inFlight: Record<string, number> = {},
): EventOf<'count'> {
  return {
    kind: 'count',
    key: 'demo-x',
    readAt: at,
    endedAt: at + 2,
    admitted: Object.fromEntries(admitted.map((count, i) => [pods[i] ?? '', count])),
    stored,
    elsewhere: [],
    problems: stored === undefined ? ['Redis was silent'] : [],
    inFlight,
  };
}

/** A sample after the window of the key. */
function sampleElsewhere(at: number): HistoryEvent {
  return { ...sample(at, [0, 0, 0], undefined), elsewhere: ['c'] };
}

function request(
  pod: string,
  outcome: CallerRequest['outcome'],
  endedAt: number,
  more: Partial<CallerRequest> = {},
): HistoryEvent {
  return { kind: 'request', id: 0, caller: 'Steady', pod, outcome, sentAt: endedAt, endedAt, ...more };
}

function times(count: number, event: (i: number) => HistoryEvent): HistoryEvent[] {
  return Array.from({ length: count }, (_, i) => event(i));
}

function judge(
  events: Iterable<HistoryEvent>,
  of: Times = whole,
  baseline: Partial<DriftSetup['baseline']> = {},
) {
  const setup = { pods, plan: PLAN, baseline: { ...BASELINE, ...baseline } };
  return judgeDrift(setup, [...fault(of), ...events]);
}

/** One admission, and as many requests to each pod as the limit, all in the fault. */
const traffic = [
  request('a', 'Admitted', T + 10),
  ...pods.flatMap((pod) => times(10, (i) => request(pod, 'Rejected', T + 20 + 50 * i))),
];

/** A watch in which nothing is missing, and only what `change` makes of a sample drifts. */
function watched(change: (at: number) => HistoryEvent | readonly HistoryEvent[] = quiet): HistoryEvent[] {
  return [...traffic, ...Array.from({ length: 31 }, (_, i) => change(T + 100 * i)).flat()];
}
function quiet(at: number): HistoryEvent {
  return sample(at, [1, 0, 0], 1);
}
const drifted = (at: number): HistoryEvent => sample(at, [28, 0, 0], 1);
/** With another sample at times of the fault, in milliseconds. */
const changed = (from: number, change: (at: number) => HistoryEvent | [], to = from) =>
  watched((at) => (at >= T + from && at <= T + to ? change(at) : quiet(at)));
const skip = (from: number, to: number) => changed(from, () => [], to);

const figures = (events: Iterable<HistoryEvent>) => judge(events, active).measures;

describe('drift', () => {
  it('is detected by two complete samples in a row above tolerance and lag', () => {
    const first = [sample(T, [2, 2, 2], 0), sample(T + 100, [3, 2, 2], 0)];
    expect(judge(first).detectedAt).toBeUndefined();
    expect(judge([...first, sample(T + 200, [3, 3, 2], 0)])).toMatchObject({
      measures: { drift: 8 },
      bounds: { drift: 6 },
      detectedAt: T + 202,
      brokenAt: T + 100,
    });
  });

  it('begins when the traffic exceeds the bound, not when a sample shows it', () => {
    const samples = [sample(T + 100, [9, 0, 0], 1), sample(T + 200, [9, 0, 0], 1)];
    const admissions = times(9, (i) => request('a', 'Admitted', T + i));
    // Redis held 1 at most: the eighth admission was the seventh that it did not count.
    expect(judge([...admissions, ...samples]).brokenAt).toBe(T + 7);
  });

  it('is not dated by an admission after the first sample that shows it', () => {
    const [first, second] = [sample(T + 100, [9, 0, 0], 1), sample(T + 200, [9, 0, 0], 1)];
    const admissions = times(9, (i) => request('a', 'Admitted', T + 150 + i));
    expect(judge([first, ...admissions, second]).brokenAt).toBe(T + 100);
  });

  it('is decided once, by samples until the end of the fault', () => {
    const samples = [7, 7, 9, 9].map((count, i) => sample(T + 100 * i, [count], 0));
    expect(judge(samples)).toMatchObject({
      brokenAt: T,
      detectedAt: T + 102,
      whenDetected: { measures: { drift: 7 } },
    });
    const until = (endedAt: number) => judge(samples.slice(0, 2), { ...whole, endedAt }).detectedAt;
    expect([until(T + 102), until(T + 101)]).toEqual([T + 102, undefined]);
  });

  it('is not detected if the lag without a fault was not measured', () => {
    const samples = times(3, (i) => sample(T + 100 * i, [9, 9, 9], 0));
    const { detectedAt, shortfalls } = judge(samples, whole, { lag: undefined });
    expect(detectedAt).toBeUndefined();
    expect(namesOf(shortfalls)).toContain('LagUnknown');
  });

  it('is further apart than without a fault once it exceeds the lag', () => {
    expect(hasDrifted(judge([sample(T, [1, 1, 1], 2)]).state)).toBe(false);
    expect(hasDrifted(judge([sample(T, [1, 1, 2], 2)]).state)).toBe(true);
  });

  it.each<[string, Times]>([
    ['before its start', { ...whole, startedAt: T + 500 }],
    ['before its start was seen', { until: T + 2000 }],
    ['after its end', { ...whole, endedAt: T - 100 }],
    ['once its probe has ended', { ...active, doubtfulFrom: T - 100 }],
  ])('is not of the fault %s', (_, of) => {
    const { detectedAt, shortfalls } = judge(
      times(3, (i) => sample(T + 100 * i, [9, 9, 9], 0)),
      of,
    );
    expect(detectedAt).toBeUndefined();
    expect(found(shortfalls, 'NotOfFault')).toMatchObject({ drift: 27, at: T });
  });

  it('is a minimum only if all requests were admitted, and more than the limit', () => {
    const admissions = times(20, (i) => request(i % 2 === 0 ? 'a' : 'b', 'Admitted', T + i));
    const atLeast = (some: HistoryEvent[], counts: number[]) =>
      judge([...some, sample(T + 200, counts, 0)]).atLeast;
    expect(atLeast(admissions, [10, 10, 0])).toEqual(['drift', 'overAdmission']);
    expect(atLeast(admissions, [3, 0, 0])).toEqual(['overAdmission']);
    expect(atLeast(admissions.slice(0, 10), [5, 5, 0])).toEqual([]);
    expect(atLeast([...admissions, request('a', 'Rejected', T + 90)], [10, 10, 0])).toEqual([]);
  });
});

describe('the traffic', () => {
  it('counts a request once that was in flight at a sample and ended after it', () => {
    const events = [
      sample(T + 98, [0, 0, 0], 0, { a: 2 }),
      request('a', 'Admitted', T + 110, { sentAt: T + 90 }),
      request('a', 'Admitted', T + 112, { sentAt: T + 105 }),
    ];
    expect(figures(events)).toMatchObject({ requests: 3, admitted: 2 });
    const unsent = request('a', 'Error', T + 120, { cause: 'Unreachable', sentAt: T + 95 });
    expect(figures([...events, unsent])).toMatchObject({ requests: 2, admitted: 2 });
  });

  it('has every outcome, and a server error is no rejection', () => {
    const events = [
      ...traffic,
      request('a', 'Error', T + 960, { cause: 'ServerError' }),
      request('b', 'Timeout', T + 970),
    ];
    const outcomes = { requests: 33, admitted: 1, rejected: 30, errors: 1, timeouts: 1 };
    expect(figures(events)).toMatchObject(outcomes);
    expect(found(judge(events).evidence, 'Outcomes')).toMatchObject({ ...outcomes, limit: 10 });
  });

  it('has requests that may have been admitted, and counts them as unanswered', () => {
    const events = [
      ...traffic,
      request('a', 'Error', T + 960, { cause: 'Reset' }),
      request('a', 'Error', T + 970, { cause: 'Answer' }),
    ];
    expect(figures(events)).toMatchObject({ requests: 33, rejected: 30, errors: 0, timeouts: 1 });
    const answered = new Map(Object.entries({ a: 11, b: 10, c: 10 }));
    expect(found(judge(events).evidence, 'Traffic')).toMatchObject({ timeouts: 1, others: 1, answered });
  });

  it('over the limit is reported next to the drift, and not judged', () => {
    const admissions = times(113, (i) => request(pods[i % 3] ?? '', 'Admitted', T + 1000 + i));
    const { atLeast, detectedAt, evidence, measures } = judge(admissions);
    expect(detectedAt).toBeUndefined();
    expect(measures).toMatchObject({ overAdmission: 103 });
    expect(atLeast).toEqual(['overAdmission']);
    const byPod = new Map(Object.entries({ a: 38, b: 38, c: 37 }));
    expect(found(evidence, 'AdmittedInFault')).toMatchObject({ admitted: 113, limit: 10, byPod });
  });
});

it('an extra sample is due once admissions exceed Redis, until two samples confirm', () => {
  const events = [sample(T, [0, 0, 0], 0), ...times(6, (i) => request('a', 'Admitted', T + i))];
  const urgent = (...more: HistoryEvent[]): boolean => {
    events.push(...more);
    return isUrgent(judge(events, active).state);
  };
  expect(urgent()).toBe(false);
  expect(urgent(request('a', 'Admitted', T + 7))).toBe(true);
  expect(urgent(sample(T + 10, [7, 0, 0], 0))).toBe(true);
  expect(urgent(sample(T + 30, [7, 0, 0], 0))).toBe(false);
  expect(judge(events, active)).toMatchObject({ brokenAt: T + 7, detectedAt: T + 32 });
  const drifting = [sample(T, [5, 0, 0], 0), request('a', 'Admitted', T + 3)];
  expect(isUrgent(judge(drifting, active).state)).toBe(false);
  expect(isUrgent(judge([...drifting, request('a', 'Admitted', T + 4)], active).state)).toBe(true);
  const caughtUp = [...times(9, (i) => request('a', 'Admitted', T + i)), sample(T + 10, [9, 0, 0], 9)];
  expect(isUrgent(judge(caughtUp, active).state)).toBe(false);
});

describe('the proof that counts did not drift', () => {
  const tipping = times(7, (i) => request('b', 'Timeout', T + i));
  const open = (requests: number, stored = 1) =>
    watched((at) => sample(at, [1, 0, 0], stored, at === T + 3000 ? { b: requests } : {}));
  const shorter = (ms: number) => ({ endedAt: T + ms, until: T + ms });
  const FEW = { code: 'TooFewSamples', samples: 1, isEndKnown: true };
  const CHECKS = { code: 'TooFewChecks', need: 10 };
  const OPEN = { code: 'OpenRequests', requests: 7 };
  const unadmitted = watched().map((event) =>
    event.kind === 'request' && event.outcome === 'Admitted' ? { ...event, endedAt: T - 50 } : event,
  );
  const withoutC = watched().filter((event) => event.kind !== 'request' || event.pod !== 'c');
  const uncounted = watched((at) => sample(at, [0, 0, 0], 0));

  it('is complete when everything was seen', () => {
    const whenComplete = { complete: true, shortfalls: [], watchedUntil: T + 3002 };
    expect(judge(watched())).toMatchObject(whenComplete);
    const late = watched((at) => (at <= T + 100 ? sample(at, [0, 0, 0], 0) : quiet(at)));
    expect(judge(late)).toMatchObject(whenComplete);
    // What follows is of no watch.
    expect(judge([...watched(), drifted(T + 3100)])).toMatchObject(whenComplete);
    expect(judge([...watched(), request('b', 'Admitted', T + 3100)])).toMatchObject(whenComplete);
    expect(judge(watched()).evidence).toMatchObject([
      { code: 'Widest', drift: 0, stored: 1, startedAt: T },
      { code: 'Bound', tolerance: 5, lag: 1 },
      { code: 'AdmittedInFault', admitted: 1 },
      { code: 'Traffic' },
      { code: 'Outcomes' },
      { code: 'Samples', samples: 31, incomplete: 0, gapMs: 100 },
      { code: 'Control', admitted: 10 },
    ]);
    expect(namesOf(judge([]).evidence)).toEqual(['Bound', 'Samples', 'Control']);
  });

  it.each<[string, HistoryEvent[], Partial<Times>, object]>([
    ['the end of the fault was not seen', watched(), { endedAt: undefined }, { code: 'EndUnseen' }],
    ['the fault ended early', watched(), { endedAt: T + 500 }, { code: 'EndedEarly', ms: 1500 }],
    ['samples are missing', skip(600, 1900), {}, { code: 'SampleGap', gapMs: 1500 }],
    [
      'a quarter of a short fault is missing',
      skip(600, 700),
      shorter(1000),
      { code: 'SampleGap', gapMs: 300 },
    ],
    ['fewer than two samples are within the fault', skip(100, 2000), {}, FEW],
    ['samples were taken before the fault', watched(), { startedAt: T + 1900 }, FEW],
    ['the last of two samples ended after the fault', watched(), { endedAt: T + 101 }, FEW],
    ['the window of the key ended', changed(2900, sampleElsewhere), {}, { code: 'WindowLeft' }],
    ['requests timed out that could tip it', [...watched(), ...tipping], {}, OPEN],
    ['open requests could tip it', open(7), {}, OPEN],
    ['open requests could tip it, with the drift so far', open(6, 0), {}, { ...OPEN, requests: 6 }],
    ['one sample was above the bound', changed(1000, drifted), {}, { code: 'Unconfirmed' }],
    [
      'counts drifted after the fault',
      changed(2100, drifted, 2400),
      {},
      { code: 'NotOfFault', drift: 27, at: T + 2100, endedAt: T + 2000 },
    ],
    ['the fault was doubted', watched(), { doubtfulFrom: T + 800 }, { code: 'FaultDoubtful', ms: 1200 }],
    ['a pod answered after the fault', watched(), shorter(400), { ...CHECKS, pod: 'a', have: 9 }],
    ['a pod got fewer checks than the limit', withoutC, {}, { ...CHECKS, pod: 'c', have: 0 }],
    [
      'samples lack admissions of the traffic',
      uncounted,
      {},
      { code: 'CountsDiffer', sampled: 0, recorded: 1 },
    ],
    ['nothing was admitted in the fault', unadmitted, {}, { code: 'NothingAdmitted' }],
  ])('is incomplete if %s', (_, events, change, expected) => {
    expect(judge(events, { ...whole, ...change }).shortfalls).toContainEqual(
      expect.objectContaining(expected),
    );
  });

  it('is incomplete without a control, and shows the one that was made', () => {
    const events = [...fault(whole), ...watched()];
    const { shortfalls } = judgeDrift({ pods, plan: PLAN, baseline: undefined }, events);
    expect(namesOf(shortfalls)).toEqual(['LagUnknown', 'NoControl']);
    const control = { controlAdmitted: 10 };
    expect(judge(watched())).toMatchObject({ measures: control, bounds: control });
  });

  it('is complete despite open requests that could not tip it', () => {
    const { evidence, shortfalls } = judge(open(6));
    expect(shortfalls).toEqual([]);
    expect(found(evidence, 'Traffic')).toMatchObject({ requests: 37, admitted: 1, timeouts: 0, others: 6 });
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

  it('detects drift by exactly two complete samples in a row above the bound', { timeout: 30_000 }, () => {
    fc.assert(
      fc.property(samples, fc.nat(4), (steps, lag) => {
        const events: HistoryEvent[] = [];
        let [at, above, expected, widest] = [T, 0, false, 0];
        for (const { admitted, counts, stored, wait } of steps) {
          const answeredAt = at;
          events.push(...times(admitted, () => request('a', 'Admitted', answeredAt)));
          at += wait;
          events.push(sample(at, counts, stored));
          if (stored === undefined) continue;
          const apart = counts[0] + counts[1] + counts[2] - stored;
          widest = Math.max(widest, apart);
          above = apart > 5 + lag ? above + 1 : 0;
          expected ||= above >= 2;
        }
        const { brokenAt, detectedAt, measures } = judge(events, active, { lag });
        expect(detectedAt !== undefined).toBe(expected);
        expect(measures?.['drift']).toBe(widest);
        if (expected) expect(brokenAt).toBeLessThan(detectedAt ?? 0);
        else expect(brokenAt).toBeUndefined();
      }),
      { numRuns: 200 },
    );
  });
});

it.each([
  ['exactly none if Redis counts as many as were admitted', 30, 30, 0, []],
  ['at least what is missing', 30, 20, 10, ['underCounted']],
  ['at least none if Redis also counts others', 30, 110, 0, ['underCounted']],
])('under-counted: %s', (_, admitted, stored, value, atLeast) => {
  expect(underCounted(admitted, stored)).toEqual({ measures: { underCounted: value }, atLeast });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CallerRequest, RequestOutcome } from '../history/events.ts';
import type { RateLimit } from '../limits/rate-limit.ts';
import {
  type AccountRequests,
  MOST_ACCOUNTED,
  reconcile,
  usedUpKeys,
  type WhyUnknown,
  whyNoAccount,
} from './accounts.ts';

const PODS = ['a', 'b'];
const AFTER = 20_000;
const limit: RateLimit = { algorithm: 'FixedWindow', requests: 10, windowMs: 60_000, start: 'FirstRequest' };
const accounts = { limit, pods: PODS, clockWithinMs: 0, isOneCaller: false };

const sent = (
  outcomes: readonly RequestOutcome[],
  from: number,
  key = 'x',
  caller: CallerRequest['caller'] = 'Account',
): CallerRequest[] =>
  outcomes.map((outcome, i) => {
    const sentAt = from + 10 * i;
    return { pod: 'a', caller, key, outcome, sentAt, endedAt: sentAt + 5 };
  });
const times = <T>(count: number, of: T): T[] => Array<T>(count).fill(of);
const rejected = times<RequestOutcome>(2 * PODS.length, 'Rejected');

/** A caller with so many admitted and failed requests in the fault, and so many admitted until its limit was used up. */
const caller = (admitted: number, failed: number, admittedAfter: number): AccountRequests => ({
  during: sent([...times(admitted, 'Admitted' as const), ...times(failed, 'Error' as const)], 0),
  after: sent([...times(admittedAfter, 'Admitted' as const), ...rejected], AFTER),
});

const of = (callers: readonly AccountRequests[], why?: WhyUnknown, change: Partial<typeof accounts> = {}) => {
  const { found, measures } = reconcile({ ...accounts, ...change }, callers, why);
  return { measures, found, values: measures.map(({ value }) => value) };
};

describe('counts that are reconciled', () => {
  it('are exact if nothing can be hidden', () => {
    const exact = of([caller(4, 1, 6)]);
    expect(exact.measures).toEqual([
      { name: 'underCounted', value: 0, unit: 'requests' },
      { name: 'overCounted', value: 0, unit: 'requests' },
    ]);
    const nothing = { underCounted: 0, overCounted: 0, withoutRequest: 0, hidden: 0 };
    expect(exact.found).toEqual({ code: 'CountsReconciled', callers: 1, ...nothing });
  });

  it('are the sums of all callers', () => {
    const { found, values } = of([caller(4, 0, 10), caller(1, 5, 4), caller(3, 0, 4)]);
    expect(values).toEqual([4, 5]);
    expect(found).toMatchObject({ callers: 3, underCounted: 4, overCounted: 5, withoutRequest: 3 });
    // As many of each do not cancel out.
    expect(of([caller(4, 0, 10), caller(1, 4, 5)]).values).toEqual([4, 4]);
    expect(of([caller(4, 0, 10), caller(3, 0, 3)]).found).toMatchObject({
      underCounted: 4,
      withoutRequest: 4,
    });
  });

  it('are minimums if a caller had nothing left', () => {
    const hidden = of([caller(10, 0, 0), caller(4, 0, 10)]);
    expect(hidden.measures).toMatchObject([
      { value: 4, atLeast: true },
      { value: 0, atLeast: true },
    ]);
    expect(hidden.found).toMatchObject({ hidden: 1 });
  });

  it('show counts without an admission, or admissions without a count', () => {
    const counts = fc.record({
      counted: fc.integer({ min: 1, max: 2 }),
      uncounted: fc.integer({ min: 1, max: 2 }),
      failed: fc.nat(2),
      lost: fc.nat(2),
    });
    fc.assert(
      fc.property(fc.array(counts, { minLength: 1, maxLength: 4 }), (all) => {
        const { values } = of(
          all.map(({ counted, failed, lost, uncounted }) =>
            caller(counted + uncounted, failed + lost, 10 - counted - failed),
          ),
        );
        const sum = (figure: (one: (typeof all)[number]) => number): number =>
          all.reduce((total, one) => total + Math.max(0, figure(one)), 0);
        // One of each is not visible: the caller has as much left as it should.
        expect(values).toEqual([
          sum(({ failed, uncounted }) => uncounted - failed),
          sum(({ failed, uncounted }) => failed - uncounted),
        ]);
      }),
    );
  });
});

describe('counts that are not known', () => {
  const good = caller(4, 0, 6);
  const ending = (...outcomes: RequestOutcome[]): AccountRequests => ({
    ...good,
    after: sent(outcomes, AFTER),
  });

  it.each<[string, AccountRequests]>([
    ['no request was sent in the fault', { ...good, during: [] }],
    ['none was sent after it', { ...good, after: [] }],
    ['a request after it failed', ending('Error', ...rejected)],
    ['a request after it had no answer', ending('Timeout', ...rejected)],
    ['a pod rejected only once', ending(...rejected.slice(1))],
    ['the last but one was admitted', ending(...rejected, 'Admitted', 'Rejected')],
    ['a window may have ended', { ...good, after: [...good.after, ...sent(['Rejected'], 60_000)] }],
  ])('if %s, and then those of all callers', (_, bad) => {
    expect(of([good, bad, bad])).toMatchObject({
      measures: [],
      found: { code: 'CountsUnknown', callers: 2 },
    });
  });

  it('if the clock of the limiter may be in the next window', () => {
    const clock = { limit: { ...limit, start: 'Clock' } as const };
    expect(of([good], undefined, clock).values).toEqual([0, 0]);
    expect(of([good], undefined, { ...clock, clockWithinMs: 1000 }).measures).toEqual([]);
  });

  it('if there is a reason against it, or no caller', () => {
    const why = { code: 'Refilled' } as const;
    const of2 = (callers: readonly AccountRequests[], reason?: WhyUnknown) => of(callers, reason).found;
    expect(of2([good, good], why)).toEqual({ code: 'CountsUnknown', callers: 2, why });
    expect(of2([], why)).toEqual({ code: 'CountsUnknown', callers: 0, why });
    expect(of2([])).toEqual({ code: 'CountsUnknown', callers: 0, why: { code: 'NoAccounts' } });
  });

  it('of one caller if more than its limit was admitted, and nothing was left', () => {
    const more = caller(12, 0, 0);
    expect(of([more]).values).toEqual([2, 0]);
    expect(of([more], undefined, { isOneCaller: true }).measures).toEqual([]);
  });
});

it('keys are used up if every pod rejected twice in the end, of what was sent since', () => {
  const requests = [
    ...sent(['Admitted', ...rejected], AFTER, 'used'),
    ...sent([...rejected, 'Admitted'], AFTER, 'left'),
    ...sent(rejected, AFTER - 10, 'early'),
    ...sent(rejected, AFTER, 'at once'),
  ];
  expect(usedUpKeys(requests, AFTER, PODS.length)).toEqual(['used', 'at once']);
});

it.each<[string, boolean, Parameters<typeof whyNoAccount>]>([
  ['a limit that is not too large', true, [{ ...limit, requests: MOST_ACCOUNTED }, true]],
  ['a larger one', false, [{ ...limit, requests: MOST_ACCOUNTED + 1 }, true]],
  ['callers that did not recover', false, [limit, false]],
  ['one caller', true, [limit, true, sent(['Error'], 0, 'x', 'Under')]],
  ['one caller rejected over its limit', true, [limit, true, sent(['Rejected'], 0, 'x', 'Over')]],
  [
    'one caller rejected under its limit',
    false,
    [limit, true, [...sent(['Admitted'], 0, 'x', 'Under'), ...sent(['Rejected'], 0, 'x', 'Under')]],
  ],
  [
    'tokens of several callers',
    true,
    [{ algorithm: 'TokenBucket', requests: 9, windowMs: 1e6, capacity: 9 }, true],
  ],
  [
    'tokens of one caller',
    false,
    [{ algorithm: 'TokenBucket', requests: 9, windowMs: 1e6, capacity: 9 }, true, []],
  ],
])('whether counts may be reconciled of %s: %s', (_, may, of) => {
  expect(whyNoAccount(...of) === undefined).toBe(may);
});

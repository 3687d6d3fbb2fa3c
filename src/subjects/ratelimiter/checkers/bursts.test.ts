import { describe, expect, it } from 'vitest';
import { found, judgeBursts, namesOf } from '../../../../test/fixtures/subjects/ratelimiter/judged.ts';
import type { CallerRequest, EventOf, HistoryEvent } from '../../history/events.ts';
import type { RateLimit } from '../limits/rate-limit.ts';
import { rulesOf } from '../spec/schema.ts';
import { type BurstSetup, isConfirmed, shownTrial, togetherMs } from './bursts.ts';

const limit: RateLimit = { algorithm: 'FixedWindow', requests: 10, windowMs: 60_000, start: 'FirstRequest' };
const pods = ['a', 'b'];
const T = 1000;

interface Burst extends Partial<EventOf<'burst'>> {
  /** In this order, to the pods in turn. */
  readonly outcomes: readonly CallerRequest['outcome'][];
  readonly to?: readonly string[];
}

/** So many requests with each outcome. */
function burst(admitted: number, rejected: number, timeouts = 0, more: Partial<Burst> = {}): Burst {
  const outcomes = [
    ...Array<'Admitted'>(admitted).fill('Admitted'),
    ...Array<'Rejected'>(rejected).fill('Rejected'),
    ...Array<'Timeout'>(timeouts).fill('Timeout'),
  ];
  return { outcomes, ...more };
}

/** Bursts half a second apart, each answered 20 ms after its start. */
function* eventsOf(bursts: readonly Burst[]): Generator<HistoryEvent> {
  let id = 0;
  for (const [i, { outcomes, to = pods, ...more }] of bursts.entries()) {
    const [sentAt, endedAt] = [T + 500 * i, T + 500 * i + 20];
    for (const [n, outcome] of outcomes.entries()) {
      yield { kind: 'request', id, caller: 'Burst', pod: to[n % to.length] ?? '', outcome, sentAt, endedAt };
      id += 1;
    }
    const times = { startedAt: sentAt, endedAt, at: endedAt + 10 };
    yield { kind: 'burst', key: `demo-${i}`, ...times, sendSpanMs: 1, notSent: {}, ...more };
  }
}

type Changed = Partial<BurstSetup['plan'] & Pick<BurstSetup, 'clockWithinMs'>>;

function judge(
  bursts: readonly Burst[],
  { clockWithinMs = 500, ...change }: Changed = {},
  more: readonly HistoryEvent[] = [],
) {
  const plan = { rules: [limit], windowMs: limit.windowMs, full: 10, isOneCaller: false };
  const parameters = { trials: bursts.length };
  const setup = {
    pods,
    clockWithinMs,
    plan: { ...plan, lingerMs: 0, failsOver: false, parameters, ...change },
  };
  return judgeBursts(setup, [...eventsOf(bursts), ...more]);
}

const trialsOf = (...bursts: Burst[]) => judge(bursts).state.trials;
/** What is missing in the first trial. */
const missingOf = (made: Burst, change: Changed = {}) =>
  (judge([made], change).shortfalls ?? []).map((one) => ('found' in one ? one.found : one));

describe('the admissions of a burst', () => {
  it('violate the limit if they are more than it allows in that time', () => {
    const reading = judge([burst(14, 14, 2)]);
    expect(reading).toMatchObject({ brokenAt: 1020, detectedAt: 1030, provenAlone: true, shortfalls: [] });
    const outcomes = { requests: 30, admitted: 14, rejected: 14, errors: 0, timeouts: 2 };
    expect(reading.measures).toEqual({ trials: 1, trialsViolated: 1, ...outcomes });
    expect(found(reading.evidence, 'BurstOverLimit')).toMatchObject({ over: { admitted: 14, bound: 10 } });
    expect(judge([burst(14, 16, 0, { endedAt: 1010 })]).brokenAt).toBe(1010);
  });

  it('are at least that many if all requests were admitted', () => {
    expect(judge([burst(30, 0)])).toMatchObject({ bounds: { admitted: 10 }, atLeast: ['admitted'] });
    expect(judge([burst(10, 0)]).atLeast).toEqual([]);
  });

  it('keep the limit if they are as many as it allows', () => {
    const reading = judge([burst(10, 20)]);
    expect(reading).toMatchObject({ shortfalls: [], complete: true });
    expect(reading.detectedAt).toBeUndefined();
    expect(found(reading.evidence, 'BurstBound')).toMatchObject({ bound: 10 });
  });

  it('are compared with two windows if one may have ended during the burst', () => {
    const change = { rules: [{ ...limit, start: 'Clock' }], clockWithinMs: 2000 } as const;
    const reading = judge([burst(20, 10)], change);
    expect(reading).toMatchObject({ measures: { admitted: 20 }, bounds: { admitted: 20 } });
    expect(reading.detectedAt).toBeUndefined();
    expect(missingOf(burst(20, 10), change)).toEqual([
      { code: 'WindowMayHaveEnded', admitted: 20, full: 10, isMeasurable: false },
    ]);
    expect(missingOf(burst(10, 20), change)).toEqual([]);
  });

  it('are compared with one window if ends in several bursts are excluded', () => {
    const change = { rules: rulesOf({ limit: { requests: 10, window: '60s' } }) };
    const over = burst(14, 16);
    const boundOf = (bursts: Burst[], more: Changed = {}) => {
      const { bounds, detectedAt } = judge(bursts, { ...change, ...more });
      return [detectedAt !== undefined, bounds?.['admitted']];
    };
    expect(boundOf([burst(10, 20)])).toEqual([false, 10]);
    expect(missingOf(over, change)).toMatchObject([{ code: 'WindowMayHaveEnded', isMeasurable: true }]);
    // An end in one of three has a probability of 1e-3, and in two of 5e-7.
    expect(boundOf([over, burst(10, 20), burst(10, 20)])).toEqual([false, 20]);
    expect(boundOf([over, burst(10, 20), over])).toEqual([true, 10]);
    // They may depend on each other.
    expect(boundOf([over, over, over], { isOneCaller: true })).toEqual([false, 20]);
    const windowMs = 1000;
    const short = { rules: change.rules.map((rule) => ({ ...rule, windowMs })), windowMs };
    expect(boundOf([over, over, over], short)).toEqual([false, 20]);
  });

  it.each<[string, Burst, object[]]>([
    ['answers are missing that could exceed the limit', burst(10, 19, 1), [{ code: 'Unanswered', open: 1 }]],
    ['missing answers could not exceed it', burst(7, 20, 3), [{ code: 'LimitNotReached', admitted: 7 }]],
    ['the limit was exceeded', burst(11, 16, 3), []],
    ['a pod got no request', burst(10, 20, 0, { to: ['a'] }), [{ code: 'PodsSpared', pods: ['b'] }]],
    ['the limit was not used up', burst(9, 21), [{ code: 'LimitNotReached', admitted: 9, full: 10 }]],
    ['all were rejected', burst(0, 30), [{ code: 'LimitNotReached', admitted: 0 }]],
    [
      'all were within the limit',
      burst(10, 0),
      [{ code: 'BurstTooSmall', requests: 10, bound: 10, tookMs: 20 }],
    ],
  ])('what is missing if %s', (_, made, missing) => {
    expect(missingOf(made)).toMatchObject(missing);
    expect(missingOf(made)).toHaveLength(missing.length);
  });
});

describe('several bursts', () => {
  it('violate the limit by one of them, with the figures of the worst', () => {
    const reading = judge([burst(10, 10), burst(13, 7), burst(15, 5)]);
    expect(reading).toMatchObject({ trials: 3, brokenAt: T + 1020, detectedAt: T + 1030 });
    expect(namesOf(reading.evidence)).toEqual(['EachTrial', 'Burst', 'BurstOverLimit']);
    expect(reading.measures).toMatchObject({ admitted: 15, trials: 3, trialsViolated: 2 });
    expect(reading.measures).not.toHaveProperty('excludesAbove');
  });

  it('that keep the limit exclude a share, in whole percents', () => {
    const { measures, shortfalls } = judge(Array.from({ length: 3 }, () => burst(10, 10)));
    expect(shortfalls).toEqual([]);
    expect(measures).toMatchObject({ excludesAbove: 64 });
  });

  it('show the one with the most admissions, violated ones first', () => {
    expect(shownTrial(trialsOf(burst(10, 10), burst(13, 7), burst(15, 5)))).toBe(2);
    expect(shownTrial(trialsOf(burst(9, 11), burst(10, 10), burst(10, 10)))).toBe(1);
    expect(shownTrial([])).toBe(0);
  });

  it('prove nothing if one lacks something, or fewer were sent than planned', () => {
    const [one, other] = [burst(10, 10), burst(9, 11)];
    const lacking = { code: 'InTrial', trial: 2, planned: 2, found: { code: 'LimitNotReached' } };
    expect(judge([one, other]).shortfalls).toMatchObject([lacking]);
    const stopped: HistoryEvent = { kind: 'stopped', at: T + 600, why: 'late' };
    expect(judge([one], { parameters: { trials: 3 } }, [stopped]).shortfalls).toEqual([
      { code: 'TrialsMissing', trials: 1, planned: 3, stopped: 'late' },
    ]);
  });

  it('prove nothing if events are missing', () => {
    const { shortfalls } = judge([burst(10, 10)], {}, [{ kind: 'dropped', events: 1 }]);
    expect(namesOf(shortfalls)).toEqual(['EventsDropped']);
  });
});

it('requests are concurrent within 100 ms, or longer for thousands of them', () => {
  expect([20, 2000, 4000].map(togetherMs)).toEqual([100, 100, 200]);
  const isConfirmedBy = (made: Burst): boolean[] => trialsOf(made).map(isConfirmed);
  expect(isConfirmedBy(burst(10, 20, 0, { sendSpanMs: 100 }))).toEqual([true]);
  expect(isConfirmedBy(burst(10, 20, 0, { sendSpanMs: 100.1 }))).toEqual([false]);
  expect(isConfirmedBy(burst(10, 19, 1))).toEqual([false]);
  expect(isConfirmedBy(burst(10, 18, 0, { to: ['a'], notSent: { b: 2 } }))).toEqual([false]);
});

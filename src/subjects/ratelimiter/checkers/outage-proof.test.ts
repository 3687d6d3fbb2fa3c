import { describe, expect, it } from 'vitest';
import { EARLY_MS } from '../../redis/events.ts';
import type { CallerRequest, RequestOutcome } from '../history/events.ts';
import { judgeOutage, type OutageSeen } from './outage.ts';

const pods = ['a', 'b'];
const limit = { algorithm: 'FixedWindow', requests: 4, windowMs: 60_000, start: 'FirstRequest' } as const;
const times = { startedAt: 10_000, endedAt: 15_000, until: 15_000 };
const FINISHED = 17_000;
const returned = { state: 'Returned', callers: 3 } as const;

const toEach = (
  count: number,
  caller: CallerRequest['caller'],
  outcome: RequestOutcome,
  from: number,
): CallerRequest[] =>
  pods.flatMap((pod) =>
    Array.from({ length: count }, (_, i) => {
      const sentAt = from + 100 * i;
      return { pod, caller, outcome, sentAt, endedAt: sentAt + 20 };
    }),
  );

/** A limiter that keeps its limit, and what callers under it get in the fault. */
const requests = (within: RequestOutcome = 'Admitted'): CallerRequest[] => [
  ...toEach(2, 'Over', 'Admitted', 0),
  ...toEach(1, 'Over', 'Rejected', 1000),
  ...toEach(5, 'Under', 'Admitted', 2000),
  ...toEach(10, 'Under', within, 11_000),
  ...toEach(1, 'Crossing', 'Rejected', 12_000),
  ...toEach(1, 'Over', 'Rejected', 15_100),
  ...toEach(1, 'Under', 'Admitted', 15_200),
];

const judged = (of: Partial<OutageSeen> = {}) =>
  judgeOutage({
    settings: { pods, limit, callerTimeoutMs: 1000, firstSentAt: 0 },
    accept: ['Enforces'],
    requests: requests(),
    gone: [],
    restarted: [],
    times,
    settleMs: 800,
    finishedAt: FINISHED,
    limitReturn: returned,
    dropped: 0,
    ...of,
  });

it('an outage that was seen from start to end is proven', () => {
  const { decided, reading } = judged();
  expect(reading).toMatchObject({ complete: true, shortfalls: [], watchedUntil: FINISHED });
  expect(decided).toBeUndefined();
  expect(reading.evidence.join()).not.toMatch(/restarted|replaced/);
  expect(judged({ gone: ['b'] }).reading.evidence).toContainEqual(expect.stringMatching(/^b deleted /));
});

it.each<[string, Partial<OutageSeen>, RegExp[]]>([
  ['requests were dropped', { dropped: 3 }, [/^3 requests /]],
  ['the fault ended early', { times: { ...times, until: 16_500 } }, [/ 1500 ms /]],
  [
    'the fault may have ended early',
    { times: { ...times, doubtfulFrom: 15_600 }, lastsUntil: 16_500 },
    [/ 900 ms /],
  ],
  ['both ends are within the tolerance', { times: { ...times, until: 15_000 + EARLY_MS } }, []],
  [
    'the doubt is within the tolerance',
    { times: { ...times, doubtfulFrom: 15_000 }, lastsUntil: 15_000 + EARLY_MS },
    [],
  ],
])('what is missing for a proof if %s', (_, seen, missing) => {
  for (const within of ['Admitted', 'Rejected'] as const) {
    const { decided, reading } = judged({ ...seen, requests: requests(within) });
    expect(reading.shortfalls).toEqual(missing.map((each) => expect.stringMatching(each)));
    const isBroken = within === 'Rejected' && missing.length === 0;
    expect(reading.brokenAt).toBe(isBroken ? 11_020 : undefined);
    if (missing.length > 0) expect(decided).toMatch(/incomplete/);
    else if (isBroken) expect(decided).toMatch(/broken/);
    else expect(decided).toBeUndefined();
  }
});

it('nothing is broken before all requests are answered', () => {
  const { decided, reading } = judged({ requests: requests('Rejected'), finishedAt: undefined });
  expect(reading).toMatchObject({ complete: false, watchedUntil: 15_220 });
  expect([reading.brokenAt, reading.detectedAt]).toEqual([undefined, undefined]);
  expect(decided).toMatch(/incomplete/);
  expect(judged({ requests: [], finishedAt: undefined }).reading.watchedUntil).toBe(0);
});

it.each([
  ['start', { endedAt: 15_000, until: 15_000 }],
  ['end', { startedAt: 10_000, until: 15_000 }],
])('no figures are shown while the %s of the fault is unknown', (_, seen) => {
  const { decided, excess, reading } = judged({ times: seen });
  expect(reading).toMatchObject({ measures: [], evidence: [], watchedUntil: FINISHED });
  expect(excess).toBeUndefined();
  expect(decided).toMatch(/incomplete/);
});

describe('a fault that was reported without a start', () => {
  const unseen = {
    times: { plannedAt: 9000, until: 15_000, presumed: { startedAt: 9000, endedAt: 15_000 } },
    isUnproven: true,
    settings: { pods, limit, callerTimeoutMs: 1000, firstSentAt: 0, calmUntil: 9000 },
  };
  const open = (from: number): CallerRequest[] => [...requests(), ...toEach(5, 'Over', 'Admitted', from)];

  it('leaves open what callers got, whatever that was', () => {
    for (const within of ['Admitted', 'Rejected', 'Timeout'] as const) {
      const { decided, reading, recovery } = judged({ ...unseen, requests: requests(within) });
      expect(reading).toMatchObject({ measures: [], evidence: [], complete: true });
      expect([reading.detectedAt, recovery]).toEqual([undefined, undefined]);
      expect(reading.shortfalls[0]).toMatch(/not proven/);
      expect(decided).toMatch(/incomplete/);
    }
  });

  it('does not hide that more was admitted than the limit allows', () => {
    const { reading } = judged({ ...unseen, requests: open(11_000) });
    expect(reading).toMatchObject({
      detectedAt: FINISHED,
      provenAlone: true,
      measures: [{ name: 'overAdmission', value: 10 }],
    });
    expect(reading.brokenAt).toBeGreaterThan(11_000);
    // Requests may still be open.
    expect(judged({ ...unseen, requests: open(11_000), finishedAt: undefined }).reading).toMatchObject({
      measures: [],
    });
  });

  it('is no reason for it if it was before', () => {
    const { reading } = judged({ ...unseen, requests: open(3000) });
    expect(reading).toMatchObject({ provenAlone: true, whenDetected: { value: 10 } });
    expect(reading.brokenAt).toBeLessThan(9000);
  });

  it.each([['FailsOpen'], ['Forgets']] as const)('may be the reason for it if the spec accepts %s', (one) => {
    const { reading } = judged({ ...unseen, requests: open(11_000), accept: ['Enforces', one] });
    expect(reading.detectedAt).toBeUndefined();
  });
});

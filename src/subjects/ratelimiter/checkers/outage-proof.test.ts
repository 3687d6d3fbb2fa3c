import { describe, expect, it } from 'vitest';
import { judgeOutage, namesOf } from '../../../../test/fixtures/subjects/ratelimiter/judged.ts';
import { EARLY_MS } from '../../redis/events.ts';
import type { CallerRequest, EventOf, HistoryEvent, RequestOutcome } from '../history/events.ts';
import type { OutageSetup } from './outage-seen.ts';

const pods = ['a', 'b'];
const limit = { algorithm: 'FixedWindow', requests: 4, windowMs: 60_000, start: 'FirstRequest' } as const;
const FINISHED = 17_000;

const setup: OutageSetup = {
  pods,
  limit,
  callerTimeoutMs: 1000,
  preparedAt: 0,
  isOneCaller: false,
  accept: ['Enforces'],
  settleMs: 800,
};

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

interface Seen extends Partial<OutageSetup> {
  readonly sent?: readonly CallerRequest[];
  readonly plannedAt?: number;
  readonly until?: number;
  readonly report?: Partial<Extract<EventOf<'fault'>, { step: 'Reported' }>>;
  readonly more?: readonly HistoryEvent[];
  readonly isFinished?: boolean;
}

function* events({
  isFinished = true,
  more = [],
  plannedAt = 10_000,
  report = { startedAt: 10_000, endedAt: 15_000 },
  sent = requests(),
  until = 15_000,
}: Seen): Generator<HistoryEvent> {
  yield { kind: 'fault', step: 'Planned', at: plannedAt, until };
  yield { kind: 'fault', step: 'Reported', proof: 'Confirmed', message: '', evidence: [], ...report };
  for (const [id, request] of sent.entries()) yield { kind: 'request', id, ...request };
  yield* more;
  if (!isFinished) return;
  yield { kind: 'traffic-ended', at: FINISHED, moved: [] };
  yield { kind: 'return', at: FINISHED, keys: [], why: 'a reason' };
  yield { kind: 'ended', at: FINISHED };
}

const judge = (seen: Seen = {}) => judgeOutage({ ...setup, ...seen }, events(seen));

const doubted = (at: number): HistoryEvent[] => [{ kind: 'fault', step: 'Doubted', at }];

it('an outage that was seen from start to end is proven', () => {
  expect(judge()).toMatchObject({ complete: true, shortfalls: [], watchedUntil: FINISHED });
});

it.each<[string, Seen, object[]]>([
  ['events were dropped', { more: [{ kind: 'dropped', events: 3 }] }, [{ code: 'EventsDropped', events: 3 }]],
  ['the fault ended early', { until: 16_500 }, [{ code: 'EndedEarly', ms: 1500 }]],
  [
    'the fault may have ended early',
    { lastsMs: 1500, more: doubted(15_600) },
    [{ code: 'FaultDoubtful', ms: 900 }],
  ],
  ['its end is within the tolerance', { until: 15_000 + EARLY_MS }, []],
  ['the doubt is within the tolerance', { lastsMs: EARLY_MS, more: doubted(15_000) }, []],
  ['the planned end is only a bound', { until: 30_000, endsEarly: true }, []],
])('what is missing for a proof if %s', (_, seen, missing) => {
  for (const within of ['Admitted', 'Rejected'] as const) {
    const { brokenAt, shortfalls } = judge({ ...seen, sent: requests(within) });
    expect(shortfalls).toEqual(missing);
    expect(brokenAt).toBe(within === 'Rejected' && missing.length === 0 ? 11_020 : undefined);
  }
});

it('a limiter that may count elsewhere is not proven to keep its limit', () => {
  const storeDoubt = 'it may count elsewhere';
  expect(judge({ storeDoubt }).shortfalls).toEqual([{ code: 'StoreDoubt', why: storeDoubt }]);
  expect(judge({ storeDoubt, sent: requests('Rejected') })).toMatchObject({
    brokenAt: 11_020,
    shortfalls: [],
  });
});

it('an outage is not proven if recovery is not shown', () => {
  const sent = requests().filter(({ sentAt }) => sentAt < 15_000);
  expect(judge({ sent }).shortfalls).toEqual([{ code: 'TooFewOverLimit', have: 0 }]);
});

it('nothing is broken before all requests are answered', () => {
  const open = { isFinished: false };
  const reading = judge({ ...open, sent: requests('Rejected') });
  expect(reading).toMatchObject({ complete: false, watchedUntil: 15_220 });
  expect([reading.brokenAt, reading.detectedAt]).toEqual([undefined, undefined]);
  expect(judge({ ...open, sent: [] }).watchedUntil).toBe(0);
});

it.each([
  ['start', { endedAt: 15_000 }],
  ['end', { startedAt: 10_000 }],
])('no figures are shown while the %s of the fault is unknown', (_, report) => {
  expect(judge({ report })).toMatchObject({ measures: [], evidence: [], watchedUntil: FINISHED });
});

describe('a fault that was reported without a start', () => {
  const unseen: Seen = { plannedAt: 9000, report: { proof: 'Inconclusive' } };
  const open = (from: number): CallerRequest[] => [...requests(), ...toEach(5, 'Over', 'Admitted', from)];

  it('leaves open what callers got, whatever that was', () => {
    for (const within of ['Admitted', 'Rejected', 'Timeout'] as const) {
      const reading = judge({ ...unseen, sent: requests(within) });
      expect(reading).toMatchObject({ measures: [], evidence: [], complete: true });
      expect(reading.detectedAt).toBeUndefined();
      expect(namesOf(reading.shortfalls)).toContain('FaultUnproven');
    }
  });

  it('does not hide that more was admitted than the limit allows', () => {
    const reading = judge({ ...unseen, sent: open(11_000) });
    expect(reading).toMatchObject({
      detectedAt: FINISHED,
      provenAlone: true,
      measures: [{ name: 'overAdmission', value: 10 }],
    });
    expect(reading.brokenAt).toBeGreaterThan(11_000);
    // Requests may still be open.
    expect(judge({ ...unseen, sent: open(11_000), isFinished: false }).measures).toEqual([]);
  });

  it('is not the cause of over-admission before it', () => {
    const reading = judge({ ...unseen, sent: open(3000) });
    expect(reading).toMatchObject({ provenAlone: true, whenDetected: { value: 10 } });
    expect(reading.brokenAt).toBeLessThan(9000);
  });

  it.each([['FailsOpen'], ['Forgets']] as const)('may be the cause if the spec accepts %s', (one) => {
    const reading = judge({ ...unseen, sent: open(11_000), accept: ['Enforces', one] });
    expect(reading.detectedAt).toBeUndefined();
  });
});

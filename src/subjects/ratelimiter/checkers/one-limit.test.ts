import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { found } from '../../../../test/fixtures/subjects/ratelimiter/judged.ts';
import { modelOf } from '../../../../test/fixtures/subjects/ratelimiter/limits/limiter-models.ts';
import { OutageUnderTest } from '../../../../test/fixtures/subjects/ratelimiter/outage-under-test.ts';
import type { CallerRequest, RequestOutcome } from '../history/events.ts';
import { admittedAtOnce, mostAdmitted, type RateLimit } from '../limits/rate-limit.ts';
import { LEAST_REQUESTS } from './behaviour.ts';
import { asOfOneLimit } from './requests.ts';

const pods = ['a', 'b', 'c'];
const FROM = 100_000;
const times = { startedAt: FROM + 1000, endedAt: FROM + 9000, until: FROM + 9000 };
const FINISHED = times.endedAt + 2000;
const fixed: RateLimit = { algorithm: 'FixedWindow', requests: 20, windowMs: 60_000, start: 'FirstRequest' };
const of = { requests: 20, windowMs: 60_000 };
const limits = fc.constantFrom<RateLimit>(
  fixed,
  { algorithm: 'FixedWindow', start: 'Clock', ...of },
  { algorithm: 'SlidingWindow', ...of },
  { algorithm: 'SlidingWindowCounter', ...of },
  { algorithm: 'TokenBucket', capacity: 20, ...of },
);

/** What the one caller got before its limit was whole: all of it and then no more. */
const control = pods.flatMap((pod, n): CallerRequest[] =>
  Array.from({ length: 9 }, (_, i) => {
    const sentAt = 10_000 + 30 * i + 10 * n;
    const within = 3 * i + n < 20;
    return {
      pod,
      caller: within ? 'Under' : 'Over',
      outcome: within ? 'Admitted' : 'Rejected',
      sentAt,
      endedAt: sentAt + 5,
    };
  }),
);

type Decide = (at: number, pod: string) => RequestOutcome;

/** What it gets from then on: once of each pod right before the fault, then of all in turn, `every` so often. */
function asked(during: Decide, every = 100, after: Decide = () => 'Rejected'): CallerRequest[] {
  const requests: CallerRequest[] = [];
  const ask = (at: number, pod: string, decide: Decide): void => {
    const outcome = decide(at, pod);
    requests.push({
      pod,
      caller: 'Over',
      outcome,
      sentAt: at,
      endedAt: at + (outcome === 'Timeout' ? 1000 : 5),
    });
  };
  for (const pod of pods) ask(FROM + 900, pod, () => (during(FROM + 900, pod), 'Admitted'));
  for (let at = times.startedAt + 200; at < FINISHED - 1000; at += every) {
    for (const pod of pods) ask(at, pod, at < times.endedAt ? during : after);
  }
  return requests;
}

function recordOf(requests: readonly CallerRequest[], limit: RateLimit = fixed): OutageUnderTest {
  const one = { isOneCaller: true, preparedAt: FROM, clockWithinMs: 0 };
  const record = new OutageUnderTest({ pods, limit, accept: ['Enforces'], ...one });
  for (const request of [...control, ...requests]) record.add(request);
  return record;
}

const readingOf = (requests: readonly CallerRequest[], limit: RateLimit = fixed) =>
  recordOf(requests, limit).reading(times, FINISHED);

/** One limiter behind all pods, that keeps its limit. */
function kept(limit: RateLimit): Decide {
  const decide = modelOf(limit);
  return (at) => (decide(at) ? 'Admitted' : 'Rejected');
}

describe('what one caller gets while Redis takes no writes', () => {
  it('holds where the limit is kept, whatever the limit', () => {
    fc.assert(
      fc.property(limits, fc.integer({ min: 20, max: 200 }), (limit, every) => {
        const decide = kept(limit);
        const reading = readingOf(asked(decide, every, decide), limit);
        expect(reading).toMatchObject({ summary: 'Enforces', shortfalls: [] });
        expect(reading.detectedAt).toBeUndefined();
      }),
    );
  });

  it('fails open where more gets through, by all pods together', () => {
    fc.assert(
      fc.property(limits, fc.integer({ min: 20, max: 200 }), (limit, every) => {
        const requests = asked(() => 'Admitted', every);
        const reading = readingOf(requests, limit);
        const during = requests.filter(
          ({ endedAt, outcome }) => outcome === 'Admitted' && endedAt <= times.endedAt,
        ).length;
        const excess = during - mostAdmitted(limit, { from: FROM + 900, to: times.endedAt, fresh: true });
        expect(excess).toBeGreaterThan(0);
        expect(reading.summary).toMatch(/^FailsOpen, \d+ > \d+$/);
        expect(reading.measures.find(({ name }) => name === 'overAdmission')?.value).toBeGreaterThanOrEqual(
          excess,
        );
      }),
    );
  });

  it.each<[RequestOutcome, string]>([
    ['Timeout', 'Hangs'],
    ['Rejected', 'FailsClosed'],
    ['Error', 'FailsClosed'],
  ])('is told where it is %s within its limit: %s', (outcome, summary) => {
    const reading = readingOf(asked(() => outcome));
    expect(reading).toMatchObject({ summary, shortfalls: [] });
    expect(reading.measures.find(({ name }) => name === 'underLimit')?.value).toBe(20 - pods.length);
    const none = { Admitted: 0, Error: 0, Timeout: 0 };
    expect(found(reading.evidence, 'AfterFault')).toMatchObject({ over: { ...none, Rejected: 30 } });
  });

  it('is no proof that the limit holds where it was not used up', () => {
    const reading = readingOf(asked(kept(fixed), 1100));
    expect(found(reading.shortfalls, 'TooFewRequests')).toMatchObject({ pod: 'a', side: 'over', need: 5 });
  });

  it('of one shared limit, its first requests count as under the limit, in order', () => {
    fc.assert(
      fc.property(limits, fc.integer({ min: 10, max: 200 }), (limit, every) => {
        const requests = asked(() => 'Error', every).toReversed();
        const told = asOfOneLimit({ limit, oneLimitFrom: FROM }, [...requests, ...control]);
        const since = told.filter(({ sentAt }) => sentAt >= FROM);
        expect(told).toHaveLength(requests.length + control.length);
        expect(since.filter(({ caller }) => caller === 'Under')).toHaveLength(admittedAtOnce(limit));
        const lastWithin = Math.max(
          ...since.filter(({ caller }) => caller === 'Under').map(({ sentAt }) => sentAt),
        );
        expect(since.every(({ caller, sentAt }) => caller === 'Under' || sentAt >= lastWithin)).toBe(true);
        expect(told.filter(({ sentAt }) => sentAt < FROM)).toEqual(control);
      }),
    );
  });

  it('asks each pod often enough within the limit only where that is large enough', () => {
    const small: RateLimit = { ...fixed, requests: (LEAST_REQUESTS + 1) * pods.length - 1 };
    const { shortfalls } = readingOf(asked(kept(small)), small);
    expect(found(shortfalls, 'TooFewRequests')).toMatchObject({ have: 4, side: 'under', need: 5 });
  });
});

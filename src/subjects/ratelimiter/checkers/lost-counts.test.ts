import { describe, expect, it } from 'vitest';
import { OutageUnderTest } from '../../../../test/fixtures/subjects/ratelimiter/outage-under-test.ts';
import type { CallerRequest, RequestOutcome } from '../history/events.ts';
import type { Behaviour } from './behaviour.ts';

const pods = ['a', 'b'];
const limit = { algorithm: 'FixedWindow', requests: 4, windowMs: 60_000, start: 'FirstRequest' } as const;
/** Redis loses its counts at the beginning. */
const times = { startedAt: 10_000, endedAt: 15_000, until: 15_000 };
const FINISHED = 17_000;

type Turn = Pick<CallerRequest, 'caller' | 'outcome'> & { readonly pod?: string };

/** Requests one after the other, 50 ms apart, to the pods in turn. */
function inTurn(turns: readonly Turn[], from: number): CallerRequest[] {
  return turns.map((turn, i) => {
    const sentAt = from + i * 50;
    return { pod: pods[i % pods.length] ?? '', sentAt, endedAt: sentAt + 20, ...turn };
  });
}

const repeated = (count: number, caller: CallerRequest['caller'], outcome: RequestOutcome): Turn[] =>
  Array.from({ length: count }, () => ({ caller, outcome }));

interface Story {
  /** What the caller over its limit gets after the loss. */
  readonly over: readonly Turn[];
  readonly accept?: readonly Behaviour[];
  /** When all counts are lost; undefined: Redis keeps them. */
  readonly lostAt?: number | undefined;
  /** When the caller over its limit sends again. */
  readonly from?: number;
  readonly countsForked?: boolean;
  readonly further?: readonly CallerRequest[];
}

function readingOf({
  accept = ['Enforces'],
  countsForked = false,
  from = 10_100,
  further = [],
  over,
  ...story
}: Story) {
  const isKept = countsForked || ('lostAt' in story && story.lostAt === undefined);
  const countsLostAt = isKept ? undefined : (story.lostAt ?? times.startedAt);
  const record = new OutageUnderTest({ pods, limit, accept, countsForked });
  const requests = [
    ...inTurn([...repeated(4, 'Over', 'Admitted'), ...repeated(2, 'Over', 'Rejected')], 0),
    ...inTurn(repeated(10, 'Under', 'Admitted'), 2000),
    ...further,
    ...inTurn(repeated(20, 'Under', 'Admitted'), 10_100),
    ...inTurn(over, from),
    ...inTurn([...repeated(4, 'New', 'Admitted'), ...repeated(4, 'New', 'Rejected')], 10_100),
    ...inTurn(repeated(10, 'Under', 'Admitted'), 15_500),
    ...inTurn(repeated(10, 'Over', 'Rejected'), 15_500),
  ];
  for (const request of requests) record.add(request);
  return record.reading({ ...times, ...(countsLostAt !== undefined && { countsLostAt }) }, FINISHED);
}

const again = (admitted: number, rejected = 6): Turn[] => [
  ...repeated(admitted, 'Over', 'Admitted'),
  ...repeated(rejected, 'Over', 'Rejected'),
];

describe('a limiter whose Redis lost the counts', () => {
  it.each([
    ['Enforces', 0, undefined],
    ['Forgets, 5 > 4', 1, FINISHED],
    ['Forgets, 8 > 4', 4, FINISHED],
    ['FailsOpen, 9 > 4', 5, FINISHED],
  ] as const)(
    '%s if the caller over its limit is admitted %i times more',
    (summary, admitted, detectedAt) => {
      const reading = readingOf({ over: again(admitted) });
      expect(reading).toMatchObject({ summary, shortfalls: [] });
      expect(reading.detectedAt).toBe(detectedAt);
      expect(reading.measures).toContainEqual(
        expect.objectContaining({ name: 'overAdmission', value: admitted }),
      );
    },
  );

  it.each([
    [['Forgets', 'Enforces'], 4, undefined],
    [['Forgets', 'Enforces'], 5, FINISHED],
    [['FailsOpen'], 5, undefined],
    // Each behaviour is accepted only by its name.
    [['FailsOpen'], 4, FINISHED],
  ] as const)('may do what is accepted: %j, admitted %i times more', (accept, admitted, detectedAt) => {
    expect(readingOf({ over: again(admitted), accept }).detectedAt).toBe(detectedAt);
  });

  it('is not judged unless the caller is rejected again', () => {
    const reading = readingOf({ over: again(3, 0), accept: ['Forgets'] });
    expect(reading.shortfalls).toHaveLength(1);
    expect(reading.detectedAt).toBeUndefined();
    // More than the limit is neither of the accepted results, whichever of them it is.
    expect(readingOf({ over: again(3, 0) })).toMatchObject({ detectedAt: FINISHED, provenAlone: true });
  });

  it('forgets at every pod, whichever admitted the caller again', () => {
    const one = again(4).map((turn) => ({ ...turn, pod: turn.outcome === 'Admitted' ? 'a' : 'b' }));
    expect(readingOf({ over: one })).toMatchObject({ summary: 'Forgets, 8 > 4' });
  });

  it('does not fail open by a request that was on its way at the loss', () => {
    const [late] = inTurn([{ caller: 'Over', outcome: 'Admitted' }], 9990);
    const reading = readingOf({ over: again(4), further: late ? [late] : [] });
    expect(reading).toMatchObject({ summary: 'Forgets, 9 > 4' });
  });

  it('forgets by what is admitted once all counts are lost, and not while they go', () => {
    // A server has lost its counts, and the next one has not: the caller may be admitted by either count.
    const early = inTurn(repeated(3, 'Over', 'Admitted'), 10_010);
    const reading = readingOf({ over: again(4), from: 10_400, further: early, lostAt: 10_300 });
    expect(reading).toMatchObject({ summary: 'Forgets, 11 > 4', shortfalls: [] });
  });

  it('fails open if Redis kept the counts', () => {
    const reading = readingOf({ over: again(4), lostAt: undefined });
    expect(reading).toMatchObject({ summary: expect.stringMatching(/^(FailsOpen|Mixed), 8 > 4/) });
  });
});

describe('a limiter whose Redis was failed over', () => {
  /** A new caller that is admitted again once the failover has ended. */
  const late = (admitted: number, rejected = 2): CallerRequest[] =>
    inTurn([...repeated(admitted, 'New', 'Admitted'), ...repeated(rejected, 'New', 'Rejected')], 15_500);

  it.each([
    ['Enforces', 0, undefined],
    ['Forgets, 5 > 4', 1, FINISHED],
    ['Forgets, 8 > 4', 4, FINISHED],
    ['FailsOpen, 12 > 4', 8, FINISHED],
  ] as const)('%s if a caller is admitted %i times more after it', (summary, admitted, detectedAt) => {
    const reading = readingOf({ over: again(0), further: late(admitted), countsForked: true });
    expect(reading).toMatchObject({ summary, shortfalls: [] });
    expect(reading.detectedAt).toBe(detectedAt);
  });

  it('may forget what a failover lost if that is accepted, once', () => {
    const outcomeOf = (admitted: number): number | undefined =>
      readingOf({
        over: again(0),
        further: late(admitted),
        countsForked: true,
        accept: ['Enforces', 'Forgets'],
      }).detectedAt;
    expect([outcomeOf(0), outcomeOf(4), outcomeOf(5)]).toEqual([undefined, undefined, FINISHED]);
  });

  it('is not judged unless the caller is rejected again', () => {
    const reading = readingOf({ over: again(0), further: late(3, 0), countsForked: true });
    expect(reading.shortfalls).toHaveLength(1);
  });
});

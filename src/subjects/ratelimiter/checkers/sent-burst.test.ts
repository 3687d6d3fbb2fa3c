import { describe, expect, it } from 'vitest';
import type { CallerRequest } from '../history/events.ts';
import type { RateLimit } from '../limits/rate-limit.ts';
import { type BurstResult, burstResultOf } from './burst-result.ts';
import { burstReading, mostOfBurst, reportOfBurst, togetherMs } from './sent-burst.ts';

const limit: RateLimit = { algorithm: 'FixedWindow', requests: 10, windowMs: 60_000, start: 'FirstRequest' };
const pods = ['a', 'b'];

/** A burst at 1000, answered 20 ms later, over both pods in turn: so many yeses, noes and requests without an answer. */
function burst(
  admitted: number,
  rejected: number,
  open = 0,
  over = pods,
  notSent: Record<string, number> = {},
): BurstResult {
  const times = { sentAt: 1000, endedAt: 1020 };
  const outcomes = Array.from({ length: admitted + rejected + open }, (_, i): CallerRequest => {
    const pod = over[i % over.length] ?? '';
    const outcome = i >= admitted + rejected ? 'Timeout' : i < admitted ? 'Admitted' : 'Rejected';
    return { pod, caller: 'Burst', ...times, outcome };
  });
  const event = { kind: 'burst', key: 'demo-a', startedAt: 1000, endedAt: 1020 } as const;
  return burstResultOf({ ...event, sendSpanMs: 1, notSent, at: 1030 }, outcomes);
}

const read = (made: BurstResult, of = limit, clockWithinMs = 500) =>
  burstReading({ limit: of, pods, clockWithinMs }, made, 1030);

describe('ghosts by the count of the sender', () => {
  it('are more than the limit allows in the time of the burst', () => {
    expect(read(burst(14, 16))).toMatchObject({
      summary: '14/10',
      measures: [{ name: 'admitted', value: 14, bound: 10 }, {}, {}, {}, {}],
      brokenAt: 1020,
      detectedAt: 1030,
      shortfalls: [],
    });
  });

  it('over-admission is dated by the first request, not by the start of the burst', () => {
    const made = burst(11, 19);
    const outcomes = made.outcomes.map((outcome) => ({ ...outcome, sentAt: outcome.sentAt + 0.01 }));
    expect(read({ ...made, outcomes })).toMatchObject({
      summary: '11/10',
      detectedAt: 1030,
      provenAlone: true,
    });
  });

  it('are at least so many where nobody was rejected', () => {
    const reading = read(burst(30, 0));
    expect(reading.summary).toBe('>= 30/10');
    expect(reading.measures[0]).toMatchObject({ value: 30, atLeast: true });
  });

  it('are none where the limit was kept', () => {
    const reading = read(burst(10, 20));
    expect(reading).toMatchObject({ summary: '10/10', shortfalls: [] });
    expect(reading.detectedAt).toBeUndefined();
  });

  it('one caller admitted less than its limit does not disprove over-admission', () => {
    const settings = { limit, pods, clockWithinMs: 500, oneCaller: true };
    expect(burstReading(settings, burst(10, 20), 1030).shortfalls).toEqual([]);
    expect(burstReading(settings, burst(3, 27), 1030).shortfalls.join()).toMatch(
      /^3 were admitted .*10 at once, .*not replenished: .*other client/,
    );
  });

  it('name nobody who admitted a request where nobody did', () => {
    expect(read(burst(0, 30)).evidence[0]).toBe('Sender: 30 requests, 0 admitted, 30 rejected');
  });

  it('are held against the end of a window where one may lie in the burst', () => {
    const byClock: RateLimit = { ...limit, start: 'Clock' };
    // The clock of the limiter may be so far off that its minute begins in the midst.
    const reading = read(burst(20, 10), byClock, 2000);
    expect(reading.measures[0]).toMatchObject({ value: 20, bound: 20 });
    expect(reading.detectedAt).toBeUndefined();
    expect(reading.shortfalls).toEqual([expect.stringMatching(/^20 were admitted, .* 10: a window /)]);
    expect(read(burst(10, 20), byClock, 2000).shortfalls).toEqual([]);
    const settings = { limit: byClock, pods, clockWithinMs: 2000 };
    expect(mostOfBurst(settings, burst(20, 10))).toEqual({ at: 1020, bound: 20 });
    expect(mostOfBurst(settings, burst(0, 10))).toEqual({ at: 1000, bound: 10 });
  });

  it.each([
    ['answers are missing that could tip it', burst(9, 15, 6), '6 of 30 requests without a proper answer'],
    ['a pod got no request', burst(10, 20, 0, ['a']), 'b got no request'],
    ['the limit was not used up', burst(9, 21), 'only 9 of the 10 that the limit allows were admitted'],
    ['everybody was rejected', burst(0, 30), 'only 0 of the 10 that the limit allows were admitted'],
    ['the burst had no more than the limit', burst(8, 2), 'the limit allows 10'],
  ])('are not ruled out where %s', (_, made, missing) => {
    const reading = read(made);
    expect(reading.shortfalls.join()).toContain(missing);
    expect(reading.detectedAt).toBeUndefined();
  });

  it('missing answers matter only if they could exceed the limit', () => {
    expect(read(burst(7, 20, 3)).shortfalls).toEqual([expect.stringMatching(/^only 7 of the 10 /)]);
    expect(read(burst(10, 19, 1)).shortfalls).toEqual([expect.stringMatching(/^1 of 30 requests /)]);
    expect(read(burst(11, 16, 3)).shortfalls).toEqual([]);
    expect(read(burst(10, 0)).shortfalls).toEqual([expect.stringMatching(/ 10 requests, .* 20 ms .* 10$/)]);
  });
});

describe('a burst', () => {
  const proofOf = (made: BurstResult) => reportOfBurst(made, 2).proof;

  it('is confirmed if it was sent at once, and each request admitted or rejected', () => {
    expect([20, 2000, 4000].map(togetherMs)).toEqual([100, 100, 200]);
    const made = burst(10, 20);
    expect(reportOfBurst(made, 2)).toMatchObject({ proof: 'Confirmed', startedAt: 1000, endedAt: 1020 });
    expect(proofOf({ ...made, sendSpanMs: 100 })).toBe('Confirmed');
    expect(proofOf({ ...made, sendSpanMs: 100.1 })).toBe('Inconclusive');
    expect(proofOf(burst(10, 19, 1))).toBe('Inconclusive');
  });

  it('has the requests that were not sent as errors', () => {
    const made = burst(10, 18, 0, ['a'], { b: 2 });
    expect(made).toMatchObject({ requests: 30, errors: 2, timeouts: 0 });
    expect(proofOf(made)).toBe('Inconclusive');
  });

  it('has figures of all outcomes, and of what was over the limit', () => {
    const made = burst(14, 14, 2);
    const reading = read(made);
    expect(reading.measures.map(({ value }) => value)).toEqual([14, 30, 14, 0, 2]);
    expect(reading.complete).toBe(true);
    expect(reading.evidence).toEqual([
      expect.stringMatching(/ 30 requests, 14 admitted, 14 rejected, 2 timeouts; .* a 7, b 7$/),
      expect.stringMatching(/ 14 .* 20 ms, .* 10$/),
    ]);
    expect(read({ ...made, endedAt: 1010 }).brokenAt).toBe(1010);
    expect([read(burst(10, 0)).summary, read(burst(8, 0)).summary]).toEqual(['10/10', '8/10']);
    expect(proofOf({ ...made, errors: 1, timeouts: 1 })).toBe('Inconclusive');
    const admissions = { startedAt: 1000, admittedAt: [1005, 1010, 1019] };
    expect(mostOfBurst({ limit, pods, clockWithinMs: 0 }, admissions).at).toBe(1019);
  });
});

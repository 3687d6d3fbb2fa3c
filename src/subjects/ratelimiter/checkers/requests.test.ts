import { expect, it } from 'vitest';
import { admittedAt, countsOf, firstOf, phasesOf, sizeOf, totalOf } from '../../checkers/requests.ts';
import type { CallerRequest, RequestOutcome } from '../../history/events.ts';
import { owedIn } from './outage-seen.ts';

const request = (sentAt: number, endedAt: number, outcome: RequestOutcome = 'Admitted'): CallerRequest => ({
  pod: 'a',
  caller: 'Drawn',
  outcome,
  sentAt,
  endedAt,
});

it.each<[string, string[], CallerRequest]>([
  ['was answered as it began', ['before'], request(0, 10_000)],
  ['was answered after its start', [], request(9999, 10_001)],
  ['was sent as it began', ['during'], request(10_000, 10_001)],
  ['had all its time before the end', ['during'], request(19_000, 20_000)],
  ['had less time', [], request(19_001, 19_002)],
  ['was read a little late', ['during'], request(15_000, 16_050)],
  ['was read too late', ['untimed'], request(15_000, 16_051)],
  ['was read after the end', ['untimed'], request(19_000, 20_001)],
  ['was given up, and that was seen late', ['during'], request(19_000, 21_000, 'Timeout')],
  ['was sent as it ended', ['after'], request(20_000, 20_001)],
])('a request that %s belongs to %j', (_, phases, one) => {
  const found = phasesOf([one], { startedAt: 10_000, endedAt: 20_000 }, 1000);
  expect(Object.entries(found).flatMap(([phase, { length }]) => (length > 0 ? [phase] : []))).toEqual(phases);
});

it('outcomes are counted, and in all', () => {
  const outcomes = ['Admitted', 'Rejected', 'Rejected', 'Error', 'Error', 'Error', 'Timeout'] as const;
  const counts = countsOf(outcomes.map((outcome) => request(0, 1, outcome)));
  expect(counts).toEqual({ Admitted: 1, Rejected: 2, Error: 3, Timeout: 1 });
  expect(totalOf([counts, counts])).toEqual({ Admitted: 2, Rejected: 4, Error: 6, Timeout: 2 });
  expect(sizeOf(counts)).toBe(7);
});

it('a request was admitted when its answer came, in time or late', () => {
  const given = request(0, 1000, 'Timeout');
  expect(admittedAt(request(0, 5))).toBe(5);
  expect(admittedAt(request(0, 5, 'Rejected'))).toBeUndefined();
  expect(admittedAt({ ...given, late: { outcome: 'Admitted', at: 3000 } })).toBe(3000);
  expect(admittedAt({ ...given, late: { outcome: 'Rejected', at: 3000 } })).toBeUndefined();
  expect([firstOf([request(7, 8), request(5, 9)]), firstOf([])]).toEqual([5, Infinity]);
});

it('what failed may be counted until the limiter has settled', () => {
  const limit = { algorithm: 'SlidingWindow', requests: 1, windowMs: 60_000 } as const;
  const failed = request(0, 10, 'Error');
  const owed = (sentAt: number) => {
    const next = request(sentAt, sentAt + 1, 'Rejected');
    return owedIn([limit], [failed, next], 20_000).has(next);
  };
  expect([owed(60_200), owed(80_200)]).toEqual([false, true]);
});

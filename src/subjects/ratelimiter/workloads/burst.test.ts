import { describe, expect, it } from 'vitest';
import { burstResultOf } from '../../checkers/burst-result.ts';
import type { Outcome } from '../../http/burst.ts';
import { burstEvents } from './burst.ts';

type Read = Parameters<typeof burstEvents>[1]['outcomes'][number]['answer'];

/** What a history makes of these outcomes. */
function resultOf(outcomes: Outcome<Read>[]) {
  const burst = { outcomes, startedAt: 0, endedAt: 9, sendSpanMs: 1 };
  const seen = burstEvents('demo-a', burst, 10);
  return burstResultOf(seen.burst, seen.requests);
}

describe('the result of a burst', () => {
  const outcome = (endedAt: number, rest: object) =>
    ({ pod: 'rl-0', sentAt: 0, endedAt, ...rest }) as Outcome<Read>;
  const answered = (endedAt: number, result: 'Admitted' | 'Rejected') =>
    outcome(endedAt, { answer: { outcome: result } });
  const failed = (endedAt: number, code: string) => outcome(endedAt, { failure: { code, message: code } });

  it('a request given up for memory counts as unanswered, and not as an error', () => {
    const outcomes = [failed(4, 'NO_ROOM')];
    const result = resultOf(outcomes);
    expect(result).toMatchObject({ errors: 0, timeouts: 1 });
    expect(result.outcomes.map(({ outcome }) => outcome)).toEqual(['Timeout']);
  });

  it('counts possible admissions and rejections separately, with the first error', () => {
    const outcomes = [
      answered(7, 'Admitted'),
      failed(9, 'TIMEOUT'),
      failed(4, 'RESET'),
      failed(3, 'NOT_SENT'),
      failed(5, 'BAD_ANSWER'),
      answered(2, 'Admitted'),
      answered(1, 'Rejected'),
    ];
    expect(resultOf(outcomes)).toEqual({
      requests: 7,
      admitted: 2,
      rejected: 1,
      errors: 2,
      timeouts: 2,
      firstError: 'rl-0: NOT_SENT',
      startedAt: 0,
      endedAt: 9,
      sendSpanMs: 1,
      sent: new Map([['rl-0', 7]]),
      admittedBy: new Map([['rl-0', 2]]),
      admittedAt: [2, 7],
      // One never left.
      outcomes: [
        [7, 'Admitted'],
        [9, 'Timeout'],
        [4, 'Timeout'],
        [5, 'Error'],
        [2, 'Admitted'],
        [1, 'Rejected'],
      ].map(([endedAt, outcome]) => expect.objectContaining({ pod: 'rl-0', sentAt: 0, endedAt, outcome })),
    });
  });
});

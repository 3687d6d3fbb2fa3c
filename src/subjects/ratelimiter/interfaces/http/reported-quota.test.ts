import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type EndOfRequest, type QuotaAnswer, ReportedQuota } from './reported-quota.ts';

const HEADER = 'X-RateLimit-Remaining';
const LIMIT = 10;
const NODES = ['a', 'b', 'c'];

const answer = (value?: string) => ({
  headers: new Map(value === undefined ? [] : [[HEADER.toLowerCase(), value]]),
});

function count(limit = LIMIT): ReportedQuota {
  return new ReportedQuota(HEADER, limit, NODES);
}

/** Sends a request to each of these pods in turn; each admits it and reports this quota. */
function reportedQuotas(
  of: ReportedQuota,
  answers: readonly (readonly [node: string, remaining: string | undefined])[],
) {
  return answers.map(([node, remaining]) =>
    of.sent(node, 1)({ decision: 'Admitted', ...answer(remaining), at: 2 }),
  );
}

describe('the reported quota of an answer', () => {
  it('is compared with the admissions that arrived before its request was sent', () => {
    const tally = count();
    const [, , third] = reportedQuotas(tally, [
      ['a', '9'],
      ['b', '8'],
      ['c', '9'],
    ]);
    expect(third).toEqual({
      pod: 'c',
      sentAt: 1,
      endedAt: 2,
      admitted: new Map([
        ['a', 1],
        ['b', 1],
        ['c', 0],
      ]),
      used: 0,
      behind: 2,
    });
  });

  it('is not held against yeses that came while it was on its way', () => {
    const tally = count();
    const [first, second] = [tally.sent('a', 1), tally.sent('b', 1)];
    expect(first({ decision: 'Admitted', ...answer('9'), at: 2 })?.behind).toBe(0);
    expect(second({ decision: 'Admitted', ...answer('9'), at: 2 })?.behind).toBe(0);
    expect(tally.unreported).toBe(1);
  });

  it('is one behind if it is reported before the request is counted', () => {
    const behind = reportedQuotas(count(), [
      ['a', '10'],
      ['a', '9'],
      ['a', '8'],
    ]).map((one) => one?.behind);
    expect(behind).toEqual([0, 1, 1]);
  });

  it('is a sample even if it rejects', () => {
    const tally = count(2);
    reportedQuotas(tally, [
      ['a', '1'],
      ['b', '0'],
    ]);
    expect(tally.sent('c', 1)({ decision: 'Rejected', ...answer('0'), at: 2 })).toMatchObject({
      used: 2,
      behind: 0,
    });
    expect(tally.sent('c', 1)({ decision: 'Rejected', ...answer('2'), at: 2 })).toMatchObject({
      used: 0,
      behind: 2,
    });
  });

  it.each([
    ['no such header', undefined, 'a answered without X-RateLimit-Remaining'],
    ['garbage', '\u00ff;\u00fe', 'a answered with X-RateLimit-Remaining that holds no single whole number'],
    [
      'seconds',
      '60',
      'a reported by X-RateLimit-Remaining that more remain than the 10 that the limit allows',
    ],
    [
      'more used than was sent',
      '0',
      'a reported by X-RateLimit-Remaining that 0 remain of 10, and only 1 request had been sent',
    ],
  ])('is nothing where there is %s, and it is known why', (_, value, problem) => {
    const tally = count();
    expect(reportedQuotas(tally, [['a', value]])).toEqual([undefined]);
    expect(tally).toMatchObject({ problem, unreported: 1 });
  });

  it('reported quota of 0 is no count if the limit was exceeded', () => {
    const tally = count(2);
    reportedQuotas(tally, [
      ['a', '1'],
      ['b', '1'],
      ['a', '0'],
    ]);
    expect(tally.problem).toMatch(/^a reported .*X-RateLimit-Remaining .*0 remain after 3 were admitted/);
    expect(tally.unreported).toBe(1);
    expect(tally.sent('b', 1)({ decision: 'Rejected', ...answer('0'), at: 2 })).toBeUndefined();
    expect(tally.unreported).toBe(1);
  });

  it('makes up for earlier answers without a quota', () => {
    const tally = count();
    reportedQuotas(tally, [
      ['a', undefined],
      ['b', '8'],
    ]);
    expect(tally.unreported).toBe(0);
  });

  it('is not awaited any more once a request has ended', () => {
    const tally = count();
    const [first, second] = [tally.sent('a', 1), tally.sent('b', 1)];
    expect(tally.open).toBe(2);
    first();
    second({ decision: 'Rejected', ...answer(), at: 2 });
    expect(tally.open).toBe(0);
  });
});

/** Each request is sent, decided and answered at its own times: the order of these steps. */
const order = fc
  .array(fc.record({ node: fc.constantFrom(...NODES), denies: fc.boolean() }), { maxLength: 30 })
  .chain((requests) => {
    const moments = requests.flatMap((_, i) => [i, i, i]);
    return fc
      .shuffledSubarray(moments, { minLength: moments.length, maxLength: moments.length })
      .map((steps) => ({ requests, steps }));
  });

interface Seen {
  readonly answer: QuotaAnswer;
  /** Admitted by the time at which it was decided, and reported as used. */
  readonly admitted: number;
}

/** Plays requests against a limiter whose nodes see so much of what was admitted, by node. */
function played(
  { requests, steps }: { requests: readonly { node: string; denies: boolean }[]; steps: readonly number[] },
  seenBy: (node: string, admitted: ReadonlyMap<string, number>) => number,
): Seen[] {
  const limit = 100;
  const tally = count(limit);
  const admitted = new Map<string, number>();
  const total = (): number => [...admitted.values()].reduce((sum, one) => sum + one, 0);
  const stage = requests.map((): { end?: EndOfRequest; remaining?: number; by?: number } => ({}));
  const seen: Seen[] = [];
  for (const i of steps) {
    const [{ denies, node } = { denies: false, node: 'a' }, state = {}] = [requests[i], stage[i]];
    if (!state.end) state.end = tally.sent(node, 0);
    else if (state.remaining === undefined) {
      if (!denies) admitted.set(node, (admitted.get(node) ?? 0) + 1);
      state.remaining = limit - seenBy(node, admitted);
      state.by = total() - (denies ? 0 : 1);
    } else {
      const reportedQuotas = state.end({
        decision: denies ? 'Rejected' : 'Admitted',
        ...answer(String(state.remaining)),
        at: 1,
      });
      if (reportedQuotas) seen.push({ answer: reportedQuotas, admitted: state.by ?? 0 });
    }
  }
  return seen;
}

const sumOf = (counts: ReadonlyMap<string, number>): number =>
  [...counts.values()].reduce((a, b) => a + b, 0);

describe('whatever the order in which answers come', () => {
  it('a limiter that counts all requests together is never behind', () => {
    fc.assert(
      fc.property(order, (play) => {
        for (const { answer: one } of played(play, (_, admitted) => sumOf(admitted)))
          expect(one.behind).toBe(0);
      }),
    );
  });

  it('one whose nodes count alone is never further behind than it was', () => {
    fc.assert(
      fc.property(order, (play) => {
        for (const { admitted, answer: one } of played(play, (node, all) => all.get(node) ?? 0))
          expect(one.behind).toBeLessThanOrEqual(admitted - one.used);
      }),
    );
  });
});

it('any quota header is read without an error, and nothing over the limit is used', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.boolean(), fc.oneof(fc.string(), fc.integer({ min: -20, max: 40 }).map(String)))),
      (answers) => {
        const tally = count();
        for (const [denies, value] of answers) {
          const one = tally.sent(
            'a',
            0,
          )({ decision: denies ? 'Rejected' : 'Admitted', ...answer(value), at: 1 });
          if (one) expect(one.used).toBeLessThanOrEqual(LIMIT);
          if (one) expect(Math.min(one.used, one.behind)).toBeGreaterThanOrEqual(0);
        }
        expect(tally.open).toBe(0);
      },
    ),
  );
});

import { describe, expect, it } from 'vitest';
import type { CallerRequest } from '../history/events.ts';
import type { RateLimit } from '../limits/rate-limit.ts';
import { overOf } from './over.ts';
import type { CallerSettings } from './requests.ts';

const FAULT = { startedAt: 10_000, endedAt: 15_000 };
const limit: RateLimit = { algorithm: 'FixedWindow', requests: 4, windowMs: 60_000, start: 'FirstRequest' };
const unknownUse: CallerSettings = { pods: ['a', 'b'], limit, callerTimeoutMs: 1000 };
const settings: CallerSettings = { ...unknownUse, firstSentAt: 0 };

/** So many requests of a caller to pod `a`, 10 ms apart, each answered after 5 ms. */
const sent = (
  count: number,
  { sentAt, ...rest }: Partial<CallerRequest> & Pick<CallerRequest, 'caller' | 'sentAt'>,
): CallerRequest[] =>
  Array.from({ length: count }, (_, i) => {
    const at = sentAt + 10 * i;
    return { pod: 'a', outcome: 'Admitted', sentAt: at, endedAt: at + 5, ...rest };
  });

describe('over-admission', () => {
  it('of the caller over its limit is separate from that of callers that cross theirs', () => {
    const over = sent(6, { caller: 'Over', sentAt: 0 });
    const crossing = sent(7, { caller: 'New', sentAt: 11_000 });
    const excessOf = (requests: readonly CallerRequest[]) => overOf(settings, requests, FAULT).excess;
    expect(excessOf(over)).toEqual({ beyond: 2, crossing: 0 });
    expect(excessOf(crossing)).toEqual({ beyond: 0, crossing: 3 });
    expect(excessOf([...over, ...crossing])).toEqual({ beyond: 2, crossing: 3 });
    expect(overOf(settings, crossing, FAULT).before.admitted).toBe(0);
  });

  it('counts from the first request of a new caller, and not of one used before', () => {
    const excessOf = (caller: 'New' | 'Over') =>
      overOf(unknownUse, sent(6, { caller, sentAt: 11_000 }), FAULT).over.excess;
    // The caller may have used a window that ended in between.
    expect([excessOf('New'), excessOf('Over')]).toEqual([2, 0]);
  });

  it('of the caller over its limit is that of all its keys', () => {
    const requests = ['x', 'y'].flatMap((key) => sent(3, { caller: 'Over', key, sentAt: 0 }));
    expect(overOf(settings, requests, FAULT).excess.beyond).toBe(2);
  });

  it('allows for the clock of the limiter, as far as that may be off', () => {
    const byClock: RateLimit = { ...limit, start: 'Clock' };
    const excessWith = (clockWithinMs?: number) =>
      overOf(
        { ...settings, limit: byClock, ...(clockWithinMs !== undefined && { clockWithinMs }) },
        sent(6, { caller: 'Over', sentAt: 1000 }),
        FAULT,
      ).over.excess;
    expect([0, 2000, undefined].map(excessWith)).toEqual([2, 0, 0]);
  });

  it('before the fault ends with the answer that came as it began', () => {
    const requests = [
      ...sent(3, { caller: 'Over', sentAt: 0 }),
      ...sent(1, { caller: 'Over', sentAt: FAULT.startedAt - 5 }),
      ...sent(1, { caller: 'Over', sentAt: FAULT.startedAt }),
    ];
    expect(overOf(settings, requests, FAULT).before).toMatchObject({ admitted: 4, excess: 0 });
  });

  it('is of the pods that admitted it in the fault, not as it began, nor after it', () => {
    const requests = [
      ...sent(3, { caller: 'Over', sentAt: 0 }),
      ...sent(1, { caller: 'Over', pod: 'b', sentAt: FAULT.startedAt - 5 }),
      ...sent(1, { caller: 'Over', sentAt: FAULT.endedAt - 1 }),
      ...sent(1, { caller: 'Over', pod: 'b', sentAt: FAULT.endedAt }),
    ];
    expect([...overOf(settings, requests, FAULT).leaking]).toEqual(['a']);
    const forked = overOf({ ...settings, countsForked: true }, requests, FAULT);
    expect([...forked.leaking]).toEqual(['a', 'b']);
  });
});

describe('over-admission after the fault', () => {
  const before = sent(4, { caller: 'Over', sentAt: 0 });
  const during = sent(3, { caller: 'Over', sentAt: 12_000 });
  const after = sent(2, { caller: 'Over', sentAt: FAULT.endedAt });
  const afterOf = (of: Partial<CallerSettings>, requests: readonly CallerRequest[]) =>
    overOf({ ...settings, ...of }, requests, FAULT).after;

  it('is on top of what was admitted before: the fault may have hindered the count', () => {
    expect(afterOf({}, [...before, ...during, ...after])).toEqual({ more: 2, lastAt: 15_015 });
    expect(afterOf({}, [...before, ...during])).toEqual({ more: 0 });
    // Of what was in flight as the fault began, nothing may have been counted.
    const edge = [
      ...before.slice(0, 2),
      ...sent(1, { caller: 'Over', sentAt: FAULT.startedAt - 5 }),
      ...sent(1, { caller: 'Over', sentAt: FAULT.startedAt - 4 }),
    ];
    expect(afterOf({}, [...edge, ...after])).toEqual({ more: 1, lastAt: 15_015 });
  });

  it('of one caller is on top of what was admitted in the fault as well', () => {
    const one = { oneLimitFrom: 0 };
    expect(afterOf(one, [...during, ...after])).toEqual({ more: 1, lastAt: 15_015 });
    expect(afterOf({}, [...during, ...after])).toEqual({ more: 0 });
  });

  it('after lost counts is on top of what was admitted from the loss on', () => {
    const lost = { countsLostAt: 12_010 };
    expect(afterOf(lost, [...before, ...during, ...after])).toEqual({ more: 0 });
    const more = sent(3, { caller: 'Over', sentAt: FAULT.endedAt });
    expect(afterOf(lost, [...before, ...during, ...more])).toEqual({ more: 1, lastAt: 15_025 });
  });
});

describe('a caller that gets its limit once more', () => {
  it('has to be rejected after its last admission', () => {
    const isRejected = (of: Partial<CallerSettings>, requests: readonly CallerRequest[]) =>
      overOf({ ...settings, ...of }, [...sent(4, { caller: 'Over', sentAt: 0 }), ...requests], FAULT).onceMore
        ?.isRejected;
    const again = sent(2, { caller: 'Over', sentAt: 12_000 });
    const rejected = (sentAt: number) => sent(1, { caller: 'Over', outcome: 'Rejected', sentAt });
    for (const of of [{ countsLostAt: FAULT.startedAt }, { countsForked: true }]) {
      expect(isRejected(of, again)).toBe(false);
      expect(isRejected(of, [...again, ...rejected(12_014)])).toBe(false);
      expect(isRejected(of, [...again, ...rejected(12_015)])).toBe(true);
      expect(isRejected(of, rejected(12_015))).toBe(false);
      const failed = sent(1, { caller: 'Over', outcome: 'Error', sentAt: 12_015 });
      expect(isRejected(of, [...again, ...failed])).toBe(false);
    }
  });

  it('gets it from the loss to the end of the fault', () => {
    const isMost = (from: number, to: number) =>
      overOf(
        { ...settings, countsLostAt: 10_500 },
        [...sent(4, { caller: 'Over', sentAt: from }), ...sent(1, { caller: 'Over', sentAt: to })],
        FAULT,
      ).onceMore?.isMost;
    expect(isMost(10_500, 14_999)).toBe(false);
    expect([isMost(10_499, 14_999), isMost(10_500, 15_000)]).toEqual([true, true]);
  });

  it('gets at most twice its limit by a failover, however short the time', () => {
    const bucket: RateLimit = { algorithm: 'TokenBucket', requests: 60, windowMs: 60_000, capacity: 10 };
    const most = (burst: number) => {
      // More than twice the limit at once; with what was replenished since, less than twice of all.
      const requests = [
        ...sent(burst, { caller: 'Over', sentAt: 0, endedAt: 5 }).map((one) => ({ ...one, sentAt: 0 })),
        ...sent(14, { caller: 'Over', sentAt: 9900 }),
      ];
      return overOf({ ...settings, limit: bucket, countsForked: true }, requests, FAULT);
    };
    expect(most(25).over).toMatchObject({ admitted: 39, bound: 20 });
    expect(most(25).onceMore?.isMost).toBe(false);
    expect(most(20).onceMore?.isMost).toBe(true);
  });
});

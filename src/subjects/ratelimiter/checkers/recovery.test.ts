import { describe, expect, it } from 'vitest';
import type { CallerRequest, RequestOutcome } from '../history/events.ts';
import { LEAST_REQUESTS } from './behaviour.ts';
import { type KnownOfRecovery, recoveryOf } from './recovery.ts';

const request = (pod: string, sentAt: number, outcome: RequestOutcome, took = 5): CallerRequest => ({
  pod,
  caller: 'Under',
  outcome,
  sentAt,
  endedAt: sentAt + took,
});

const SETTLE_MS = 2000;

describe('recovery after a fault', () => {
  const fault = { startedAt: 0, endedAt: 1000 };
  /** So many requests of a caller, 100 ms apart; from 1.1 s to 4 s by default. */
  const sent = (
    outcome: RequestOutcome,
    {
      caller = 'Under',
      count = 30,
      from = 1100,
      pod = 'a',
    }: Partial<CallerRequest> & { count?: number; from?: number } = {},
  ): CallerRequest[] =>
    Array.from({ length: count }, (_, i) => ({ ...request(pod, from + i * 100, outcome), caller }));
  const over = (outcome: RequestOutcome, options: Parameters<typeof sent>[1] = {}) =>
    sent(outcome, { ...options, caller: 'Over' });
  const recovery = (
    requests: readonly CallerRequest[],
    known: Partial<KnownOfRecovery> = {},
    pods: readonly string[] = ['a'],
  ) => recoveryOf(pods, requests, fault, { settleMs: SETTLE_MS, ...known });
  const lapsesOf = (found: ReturnType<typeof recoveryOf>) =>
    found.code === 'NotRecovered' ? [...found.lapses] : found.code;

  it('is once every pod admits callers for good, and rejects the one over its limit', () => {
    const requests = [
      request('a', 1010, 'Admitted'),
      request('b', 1020, 'Error'),
      request('a', 1030, 'Admitted'),
      request('b', 1040, 'Admitted'),
      ...['a', 'b'].flatMap((pod) => over('Rejected', { pod, count: 2, from: 1010 })),
    ];
    expect(recovery(requests, {}, ['a', 'b'])).toEqual({ code: 'Recovered', afterMs: 115 });
  });

  it('is not shown by answers during the fault', () => {
    const during = { from: 100, count: 8 };
    const requests = [...sent('Admitted', during), ...over('Rejected', during)];
    expect(recovery(requests)).toMatchObject({ code: 'TooFewOverLimit' });
  });

  it('is in time at the very bound, and not a millisecond later', () => {
    const at = (sentAt: number) => [request('a', sentAt, 'Admitted'), ...over('Rejected', { count: 1 })];
    expect(recovery(at(2995))).toEqual({ code: 'Recovered', afterMs: SETTLE_MS });
    expect(recovery(at(2996)).code).not.toBe('Recovered');
  });

  it('is not shown by a few requests that failed at the end', () => {
    const requests = [
      ...sent('Admitted', { count: 29 }),
      request('a', 4000, 'Error'),
      ...over('Admitted', { count: 1 }),
      ...over('Rejected', { count: 1, from: 1200 }),
    ];
    expect(recovery(requests)).toEqual({ code: 'FailedToTheEnd' });
  });

  it('is lacking if a pod rejects callers to the end, and only there', () => {
    const requests = [
      ...sent('Admitted'),
      ...sent('Rejected', { pod: 'b' }),
      ...over('Rejected'),
      ...over('Rejected', { pod: 'b' }),
    ];
    const found = recovery(requests, {}, ['a', 'b']);
    expect(lapsesOf(found)).toEqual([['b', 'fails']]);
    expect(found).toMatchObject({ afterMs: undefined, watchedMs: 3000 });
  });

  it('comes in time if callers failed before the bound only', () => {
    const requests = [
      ...sent('Rejected', { count: 18 }),
      ...sent('Admitted', { count: 12, from: 2900 }),
      ...over('Rejected'),
    ];
    expect(recovery(requests)).toEqual({ code: 'Recovered', afterMs: 1905 });
  });

  it('is lacking if it comes after the bound, and then its time is known', () => {
    const requests = [
      ...sent('Error', { count: 24 }),
      ...sent('Admitted', { count: 6, from: 3500 }),
      ...over('Error', { count: 24 }),
      ...over('Rejected', { count: 6, from: 3500 }),
    ];
    expect(recovery(requests)).toMatchObject({ code: 'NotRecovered', afterMs: 2505 });
  });

  it('is not decided if it came between the last failure and the bound', () => {
    const requests = [
      ...sent('Error', { count: 19 }),
      ...sent('Admitted', { count: 10, from: 3050 }),
      ...over('Rejected'),
    ];
    expect(recovery(requests)).toEqual({ code: 'RecoveredLate', afterMs: 2055 });
  });

  it('is lacking if the caller over its limit is admitted past the bound', () => {
    const bound = fault.endedAt + SETTLE_MS;
    const late = [...sent('Admitted'), ...over('Admitted', { count: 1, from: bound })];
    expect(lapsesOf(recovery(late, { lastBeyondAt: bound + 5 }))).toEqual([['a', 'admits']]);
    expect(lapsesOf(recovery(late, { lastBeyondAt: bound + 4 }))).toBe('TooFewOverLimit');
    const requests = [...sent('Admitted'), ...over('Admitted')];
    expect(lapsesOf(recovery(requests, { lastBeyondAt: 4005 }))).toEqual([['a', 'admits']]);
    const again = [...requests, ...over('Rejected', { from: 4005, count: 1 })];
    expect(recovery(again, { lastBeyondAt: 4005 })).toMatchObject({ code: 'NotRecovered', afterMs: 3010 });
  });

  it('needs a rejection of the caller over its limit by each pod that exceeded it', () => {
    const well = ['a', 'b'].flatMap((pod) => sent('Admitted', { pod }));
    const one = [...well, ...over('Rejected'), ...over('Admitted', { pod: 'b' })];
    expect(lapsesOf(recovery(one, { lastBeyondAt: 4005 }, ['a', 'b']))).toEqual([['b', 'admits']]);
    // Without over-admission, what was replenished may have been admitted there.
    expect(recovery(one, {}, ['a', 'b']).code).toBe('Recovered');
    expect(recovery([...well, ...over('Admitted')], {}, ['a', 'b'])).toEqual({
      code: 'TooFewOverLimit',
      have: 30,
    });
  });

  it('is lacking if the caller over its limit gets errors to the end', () => {
    expect(lapsesOf(recovery([...sent('Admitted'), ...over('Error')]))).toEqual([['a', 'errs']]);
  });

  it('is not decided by requests that were not sent until the bound', () => {
    const short = [...sent('Error', { count: 15 }), ...over('Error', { count: 15 })];
    expect(recovery(short).code).toBe('TooFewOverLimit');
    const open = [...sent('Admitted', { count: 15 }), ...over('Admitted', { count: 15 })];
    expect(recovery(open, { lastBeyondAt: 2505 }).code).toBe('TooFewOverLimit');
  });

  it('of one caller is admission or rejection, and a rejection', () => {
    const requests = [
      request('a', 1010, 'Timeout'),
      request('a', 1020, 'Admitted'),
      ...over('Admitted', { count: 2, from: 1030 }),
      ...over('Rejected', { count: 1, from: 1300 }),
    ];
    expect(recovery(requests, { oneLimit: true })).toEqual({ code: 'Recovered', afterMs: 305 });
    const failed = [...requests, request('a', 1400, 'Error')];
    expect(recovery(failed, { oneLimit: true }).code).toBe('FailedToTheEnd');
  });

  it('of one caller is not shown by rejections within its limit', () => {
    const requests = [...sent('Rejected', { count: 5 }), ...over('Admitted')];
    expect(recovery(requests, { oneLimit: true }).code).toBe('TooFewOverLimit');
  });

  it('is lacking only by failures in the second half of the watch, and by enough', () => {
    const late = [
      ...sent('Error', { count: 14 }),
      ...sent('Admitted', { count: 15, from: 2500 }),
      request('a', 4000, 'Error'),
    ];
    expect(lapsesOf(recovery([...late, ...over('Rejected')]))).toBe('FailedToTheEnd');
    const failed = (count: number) => [...sent('Error', { count, from: 3100 }), ...over('Rejected')];
    expect(lapsesOf(recovery(failed(LEAST_REQUESTS - 1)))).toBe('FailedToTheEnd');
    expect(lapsesOf(recovery(failed(LEAST_REQUESTS)))).toEqual([['a', 'fails']]);
  });

  it('is that of callers under their limit and the one over it, from the end on', () => {
    const requests = [
      request('a', fault.endedAt, 'Admitted'),
      ...over('Rejected', { count: 1, from: fault.endedAt }),
      ...sent('Timeout', { caller: 'Control' }),
      ...sent('Rejected', { caller: 'New' }),
    ];
    expect(recovery(requests)).toEqual({ code: 'Recovered', afterMs: 5 });
  });

  it('is not known without a request, or a pod', () => {
    expect(recovery([]).code).toBe('TooFewOverLimit');
    expect(recovery([...sent('Admitted'), ...over('Rejected')], {}, []).code).toBe('TooFewOverLimit');
  });
});

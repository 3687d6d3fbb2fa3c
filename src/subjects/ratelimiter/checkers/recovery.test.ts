import { describe, expect, it } from 'vitest';
import type { CallerRequest, RequestOutcome } from '../history/events.ts';
import { latencyOf } from './latency.ts';
import { recoveryOf } from './recovery.ts';

const request = (pod: string, sentAt: number, outcome: RequestOutcome, took = 5): CallerRequest => ({
  pod,
  caller: 'Under',
  outcome,
  sentAt,
  endedAt: sentAt + took,
});

describe('recovery after a fault', () => {
  const fault = { startedAt: 0, endedAt: 1000 };
  const states = (count: number, outcome: RequestOutcome, from = 1100, pod = 'a'): CallerRequest[] =>
    Array.from({ length: count }, (_, i) => request(pod, from + i * 100, outcome));

  it('is once every pod admits callers, for good', () => {
    const requests = [
      request('a', 1010, 'Admitted'),
      request('b', 1020, 'Error'),
      request('a', 1030, 'Admitted'),
      request('b', 1040, 'Admitted'),
    ];
    expect(recoveryOf(['a', 'b'], requests, fault)).toEqual({ state: 'Recovered', afterMs: 45 });
  });

  it('is not shown by a few requests that failed at the end', () => {
    const requests = [...states(20, 'Admitted'), ...states(1, 'Error', 3200)];
    expect(recoveryOf(['a'], requests, fault)).toEqual({ state: 'Unclear' });
  });

  it('fails if a pod rejects callers to the end, and names it', () => {
    const requests = [...states(20, 'Admitted'), ...states(20, 'Rejected', 1105, 'b')];
    expect(recoveryOf(['a', 'b'], requests, fault)).toMatchObject({ state: 'NotRecovered', pods: ['b'] });
  });

  it('comes in time if callers failed in the first half only', () => {
    const requests = [...states(10, 'Rejected'), ...states(10, 'Admitted', 2100)];
    expect(recoveryOf(['a'], requests, fault)).toEqual({ state: 'Recovered', afterMs: 1105 });
  });

  it('fails if the caller over its limit is admitted to the end', () => {
    const beyond = { ...request('a', 3000, 'Admitted'), caller: 'Over' as const };
    const requests = [...states(20, 'Admitted'), beyond];
    expect(recoveryOf(['a'], requests, fault, { lastBeyondAt: 3005 })).toMatchObject({
      state: 'NotRecovered',
      pods: ['a'],
    });
    const rejected = { ...request('a', 3100, 'Rejected'), caller: 'Over' as const };
    const again = recoveryOf(['a'], [...requests, rejected], fault, { lastBeyondAt: 3005 });
    expect(again).toEqual({ state: 'Recovered', afterMs: 2105 });
  });

  it('needs a rejection of the caller over its limit by each pod', () => {
    const of = (pod: string, outcome: RequestOutcome): CallerRequest => ({
      ...request(pod, 3100, outcome),
      caller: 'Over',
    });
    const requests = [...states(20, 'Admitted'), ...states(20, 'Admitted', 1105, 'b'), of('a', 'Rejected')];
    expect(recoveryOf(['a', 'b'], requests, fault, { lastBeyondAt: 3050 })?.state).toBe('NotRecovered');
    const both = [...requests, of('b', 'Rejected')];
    expect(recoveryOf(['a', 'b'], both, fault, { lastBeyondAt: 3050 })?.state).toBe('Recovered');
  });

  it('is admission or rejection if nobody knows what is left of the one limit', () => {
    const requests = [
      request('a', 1010, 'Admitted'),
      request('b', 1020, 'Timeout'),
      request('a', 1030, 'Rejected'),
      request('b', 1040, 'Admitted'),
    ];
    const oneLimit = { oneLimit: true };
    expect(recoveryOf(['a', 'b'], requests, fault, oneLimit)).toEqual({ state: 'Recovered', afterMs: 45 });
    const failed = [...requests, request('a', 1050, 'Error')];
    expect(recoveryOf(['a', 'b'], failed, fault, oneLimit)?.state).not.toBe('Recovered');
  });

  it('is not known without a request', () => {
    expect(recoveryOf(['a', 'b'], [], fault)).toBeUndefined();
    expect(recoveryOf(['a', 'b'], [request('a', 1010, 'Admitted')], fault)).toEqual({ state: 'Unclear' });
  });
});

describe('how long answers took', () => {
  it('is told of those that came in time', () => {
    const requests = [
      request('a', 0, 'Admitted', 1),
      request('a', 10, 'Rejected', 3),
      request('a', 20, 'Error', 9),
      request('a', 30, 'Timeout', 1000),
    ];
    expect(latencyOf(requests)).toEqual({ p50Ms: 3, maxMs: 9, answers: 3 });
    expect(latencyOf(requests.slice(3))).toBeUndefined();
  });
});

import { describe, expect, it } from 'vitest';
import type { CallerRequest, Got } from '../../interfaces/caller-request.ts';
import { latencyOf, wellAgainAfter } from './recovery.ts';

const request = (node: string, sentAt: number, got: Got, took = 5): CallerRequest => ({
  node,
  caller: 'Within',
  got,
  sentAt,
  endedAt: sentAt + took,
});

describe('callers are well again', () => {
  const fault = { startedAt: 0, endedAt: 1000 };

  it('once every node lets them through, for good', () => {
    const requests = [
      request('a', 1010, 'Admitted'),
      request('b', 1020, 'Failed'),
      request('a', 1030, 'Admitted'),
      request('b', 1040, 'Admitted'),
    ];
    expect(wellAgainAfter(['a', 'b'], requests, fault)).toBe(45);
  });

  it('not while the last one was turned away', () => {
    const requests = [request('a', 1010, 'Admitted'), request('a', 1020, 'Denied')];
    expect(wellAgainAfter(['a'], requests, fault)).toBeUndefined();
  });

  it('once every node answers yes or no, where nobody knows what is left of the one limit', () => {
    const requests = [
      request('a', 1010, 'Admitted'),
      request('b', 1020, 'Unanswered'),
      request('a', 1030, 'Denied'),
      request('b', 1040, 'Admitted'),
    ];
    expect(wellAgainAfter(['a', 'b'], requests, fault, { oneLimit: true })).toBe(45);
    const failed = [...requests, request('a', 1050, 'Failed')];
    expect(wellAgainAfter(['a', 'b'], failed, fault, { oneLimit: true })).toBeUndefined();
  });

  it('not where a node was not asked', () => {
    expect(wellAgainAfter(['a', 'b'], [request('a', 1010, 'Admitted')], fault)).toBeUndefined();
    expect(wellAgainAfter([], [], fault)).toBeUndefined();
  });
});

describe('how long answers took', () => {
  it('is told of those that came in time', () => {
    const requests = [
      request('a', 0, 'Admitted', 1),
      request('a', 10, 'Denied', 3),
      request('a', 20, 'Failed', 9),
      request('a', 30, 'Unanswered', 1000),
    ];
    expect(latencyOf(requests)).toEqual({ p50Ms: 3, maxMs: 9, answers: 3 });
    expect(latencyOf(requests.slice(3))).toBeUndefined();
  });
});

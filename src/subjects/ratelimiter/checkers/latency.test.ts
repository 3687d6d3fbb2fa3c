import { expect, it } from 'vitest';
import type { CallerRequest, RequestOutcome } from '../../history/events.ts';
import { latencyOf } from './figures.ts';

const request = (took: number, outcome: RequestOutcome = 'Admitted'): CallerRequest => ({
  pod: 'a',
  caller: 'Drawn',
  outcome,
  sentAt: 100,
  endedAt: 100 + took,
});

it('latency is that of answers in time, with the lower of two medians', () => {
  const requests = [request(9, 'Error'), request(10), request(3, 'Rejected'), request(1000, 'Timeout')];
  expect(latencyOf([...requests, request(1)])).toEqual({ p50Ms: 3, maxMs: 10, answers: 4 });
  expect(latencyOf(requests)).toEqual({ p50Ms: 9, maxMs: 10, answers: 3 });
  expect(latencyOf([request(1000, 'Timeout')])).toBeUndefined();
});

import { expect, it } from 'vitest';
import type { CallerRequest, RequestOutcome } from '../history/events.ts';
import { checkLatency, latencyOf } from './latency.ts';

const request = (took: number, outcome: RequestOutcome = 'Admitted', caller = 'Under'): CallerRequest =>
  ({ pod: 'a', caller, outcome, sentAt: 100, endedAt: 100 + took }) as CallerRequest;

it('latency is that of answers in time, with the lower of two medians', () => {
  const requests = [request(9, 'Error'), request(10), request(3, 'Rejected'), request(1000, 'Timeout')];
  expect(latencyOf([...requests, request(1)])).toEqual({ p50Ms: 3, maxMs: 10, answers: 4 });
  expect(latencyOf(requests)).toEqual({ p50Ms: 9, maxMs: 10, answers: 3 });
  expect(latencyOf([request(1000, 'Timeout')])).toBeUndefined();
});

it('latency before, during and after a fault excludes requests that need no limiter', () => {
  const control = [request(1, 'Admitted', 'Control'), request(1000, 'Timeout', 'Control')];
  const found = checkLatency({
    before: [request(4.4), ...control],
    during: [request(20), request(30), request(1000, 'Timeout'), ...control],
    after: [request(5.6)],
    untimed: [],
  });
  expect(found).toMatchObject({ valid: true, missing: [] });
  expect(found.measures).toEqual([
    { name: 'latencyBefore', value: 4, unit: 'ms' },
    { name: 'latencyDuring', value: 20, unit: 'ms' },
    { name: 'latencyAfter', value: 6, unit: 'ms' },
  ]);
  expect(found.evidence).toEqual([
    expect.stringMatching(
      / 4\.4 ms \(slowest 4 ms\) before .* 20\.0 ms \(slowest 30 ms; 2 of 3 .*\) .* 5\.6 ms \(slowest 6 ms\) after /,
    ),
  ]);
});

it('latency without an answer has no figure, but shows if a request was sent', () => {
  const phases = { before: [], during: [request(1000, 'Timeout')], after: [], untimed: [] };
  const { evidence, measures } = checkLatency(phases);
  expect(measures).toEqual([]);
  expect(evidence).toEqual([
    expect.stringMatching(/^before .* sent; during .* answered in time; after .* sent$/),
  ]);
  expect(checkLatency({ ...phases, after: [request(2)] }).evidence[0]).toMatch(
    / 2\.0 ms .*; before .*; during /,
  );
});

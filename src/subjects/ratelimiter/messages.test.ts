/** The words about a rate limiter, in one snapshot: other tests of this folder assert reasons, figures and fields. */

import { expect, it } from 'vitest';
import type { LimiterChanges } from '../../../test/kit/demo.ts';
import { type ChaosDemoSpec, specSchema } from '../../api/index.ts';
import type { CallerRequest } from '../history/events.ts';
import { requireCapacity } from '../scenarios/capacity.ts';
import { rateLimiterApi } from './api.ts';
import { rateLimiterDefinition } from './definition.ts';
import { limitProblem } from './interfaces/http/control-problem.ts';
import { rateLimiterKind } from './kind.ts';
import type { RateLimit } from './limits/rate-limit.ts';
import { rateLimiterOf } from './spec/schema.ts';

const HTTP = { http: { headers: [{ name: 'X-User', value: '$(key)' }] } };
const BY_ADDRESS = { http: { path: '/', identity: 'SourceAddress' } };
const LIMIT: RateLimit = { algorithm: 'SlidingWindow', requests: 10, windowMs: 60_000 };

function spec({ limit, ...rateLimiter }: LimiterChanges, scenarios?: readonly object[]): ChaosDemoSpec {
  const required = { selector: { matchLabels: { app: 'x' } }, redis: { serviceName: 'redis' } };
  return specSchema([rateLimiterApi]).parse({
    rateLimiter: { ...required, ...rateLimiter, limit: { requests: 10, window: '60s', ...limit } },
    ...(scenarios && { scenarios: scenarios.map((scenario) => ({ name: 's', ...scenario })) }),
  });
}

/** Requests of one caller: each pod admits so many, and then all reject unless the spec says which. */
function requestsOf(admitted: Readonly<Record<string, number>>, rejecting = Object.keys(admitted)) {
  const outcomes = [
    ...Object.entries(admitted).flatMap(([pod, n]) => Array.from({ length: n }, () => ({ pod, ok: true }))),
    ...rejecting.map((pod) => ({ pod, ok: false })),
  ];
  return outcomes.map(
    ({ ok, pod }, i): CallerRequest => ({
      pod,
      caller: 'Drawn',
      outcome: ok ? 'Admitted' : 'Rejected',
      sentAt: i * 20,
      endedAt: i * 20 + 1,
    }),
  );
}

it.each<[string, Record<string, number>, string[]?]>([
  ['admits more than its limit', { 'api-0': 7, 'api-1': 6, 'api-2': 6 }],
  ['counts in each pod', { 'api-0': 10, 'api-1': 10, 'api-2': 10 }],
  ['has one pod that never rejects', { 'api-0': 5, 'api-1': 60, 'api-2': 5 }, ['api-0', 'api-2']],
  ['never rejects', { 'api-0': 24, 'api-1': 23, 'api-2': 23 }, []],
  ['rejects the first request', { 'api-0': 0, 'api-1': 0 }],
  ['rejects too early', { 'api-0': 5, 'api-1': 4 }],
])('the words for a limiter behind HTTP that %s', (_, admitted, rejecting) => {
  const seen = { requests: requestsOf(admitted, rejecting), exhausted: rejecting === undefined };
  for (const limiter of [HTTP, BY_ADDRESS]) {
    const { http } = rateLimiterOf(spec(limiter));
    expect(limitProblem(LIMIT, http, seen)?.message).toMatchSnapshot(http.identity);
  }
});

it.each([
  [
    'no check',
    { type: 'CounterDrift', counterDrift: { fault: { duration: '1s' }, requestsPerSecond: 1 } },
    {},
    3,
  ],
  ['too few checks', { type: 'CounterDrift', expect: 'Held' }, {}, 30],
  ['a small burst', { type: 'GhostAllowing', expect: 'Held', ghostAllowing: { multiplier: 2 } }, {}, 3],
  ['a story as long as the window', { type: 'CounterDrift' }, { window: '23s' }, 3],
  [
    'a burst that is too large',
    { type: 'GhostAllowing', ghostAllowing: { multiplier: 3 } },
    { requests: 5000 },
    3,
  ],
])('the words for a spec with %s', (_, scenario, limit, pods) => {
  const unprovable = spec({ limit }, [{ expect: 'Violated', ...scenario }]);
  expect(() => requireCapacity(rateLimiterKind, unprovable, { pods })).toThrowErrorMatchingSnapshot();
});

it.each([
  ['that is bundled', {}],
  ['HTTP', HTTP],
  ['the address of the operator', BY_ADDRESS],
])('the words at the start of a run on a limiter by %s', (_, limiter) => {
  const scenarios = [{ type: 'GhostAllowing', expect: 'Held' }];
  const target = { pods: [{ name: 'api-0', uid: 'u', imageId: 'i' }], store: 'redis-0 (10.0.0.7:6379)' };
  expect(rateLimiterDefinition.welcome(spec(limiter, scenarios), target)).toMatchSnapshot();
});

it('the words while a run waits for the limit of its address', () => {
  expect(rateLimiterDefinition.waitsFor?.(spec(BY_ADDRESS), undefined)).toMatchSnapshot();
});

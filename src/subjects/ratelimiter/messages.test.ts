/** The words about a rate limiter, in one snapshot: other tests of this folder assert reasons, figures and fields. */

import { expect, it } from 'vitest';
import type { LimiterChanges } from '../../../test/kit/demo.ts';
import { type ChaosDemoSpec, specSchema } from '../../api/index.ts';
import type { CallerRequest } from '../history/events.ts';
import { requireCapacity } from '../scenarios/capacity.ts';
import { limitProblem } from './controls/control-problem.ts';
import { rateLimiterApi, rateLimiterKind } from './kind.ts';
import type { RateLimit } from './limits/rate-limit.ts';
import { rateLimiterOf } from './spec/schema.ts';

const HTTP = { http: { headers: [{ name: 'X-User', value: '$(key)' }] } };
const BY_ADDRESS = { http: { path: '/', identity: 'SourceAddress' }, limit: { windowStart: 'FirstRequest' } };
const LIMIT: RateLimit = { algorithm: 'SlidingWindow', requests: 10, windowMs: 60_000 };

function spec({ limit, ...rateLimiter }: LimiterChanges, scenarios?: readonly object[]): ChaosDemoSpec {
  const required = { selector: { matchLabels: { app: 'x' } }, redis: { serviceName: 'redis' } };
  return specSchema([rateLimiterApi]).parse({
    rateLimiter: { ...required, ...rateLimiter, limit: { requests: 10, window: '60s', ...limit } },
    ...(scenarios && { scenarios: scenarios.map((scenario) => ({ name: 's', ...scenario })) }),
  });
}

const { http: HTTP_MAPPING } = rateLimiterOf(spec(HTTP));

/** How a pod decides, by what it and all pods have admitted. */
type Admits = (pod: string, own: number, all: number) => boolean;

/** One caller sends to three pods in turn until all have rejected twice in a row, or 70 requests. */
function control(admits: Admits) {
  const requests: CallerRequest[] = [];
  const isOver = (): boolean =>
    requests.length >= 6 && requests.slice(-6).every(({ outcome }) => outcome === 'Rejected');
  for (let i = 0; i < 70 && !isOver(); i += 1) {
    const pod = `api-${i % 3}`;
    const admitted = requests.filter(({ outcome }) => outcome === 'Admitted');
    const own = admitted.filter((request) => request.pod === pod).length;
    const outcome = admits(pod, own, admitted.length) ? 'Admitted' : 'Rejected';
    requests.push({ pod, caller: 'Drawn', outcome, sentAt: i * 20, endedAt: i * 20 + 1 });
  }
  return { requests, exhausted: isOver() };
}

const [DRIFT, BURST] = [{ type: 'CounterDrift' }, { type: 'GhostAllowing' }];
const OWN_LIMITS: Readonly<Record<string, number>> = { 'api-0': 9, 'api-1': 4, 'api-2': 7 };

it.each<[string, Admits]>([
  ['admits more than its limit', (_, __, all) => all < 19],
  ['counts in each pod', (_, own) => own < 10],
  ['has one pod with another limit', (pod, _, all) => all < (pod === 'api-2' ? 20 : 10)],
  ['has one pod that never rejects', (pod, _, all) => pod === 'api-1' || all < 10],
  ['admits again after a rejection', (pod, own) => own < (OWN_LIMITS[pod] ?? 0)],
  ['never rejects', () => true],
  ['rejects the first request', () => false],
  ['rejects too early', (_, __, all) => all < 9],
  ['keeps its limit', (_, __, all) => all < 10],
])('the words for a limiter behind HTTP that %s', (_, admits) => {
  for (const limiter of [HTTP, BY_ADDRESS]) {
    const { http } = rateLimiterOf(spec(limiter));
    // With its class: only a limit that was seen can be violated.
    expect(String(limitProblem([LIMIT], http, control(admits)) ?? 'none')).toMatchSnapshot(http.identity);
  }
});

it('the words for a bucket that admits more than its limit', () => {
  const bucket: RateLimit = { ...LIMIT, algorithm: 'TokenBucket', capacity: 10 };
  const admitted = control((_, __, all) => all < 19);
  const of = (limit: RateLimit) => String(limitProblem([limit], HTTP_MAPPING, admitted));
  expect(of(bucket)).toMatchSnapshot();
  expect(of({ ...bucket, refillEveryMs: 1_000 })).not.toContain('refillEvery');
});

it.each([
  ['no check', { ...DRIFT, counterDrift: { fault: { duration: '1s' }, requestsPerSecond: 1 } }, {}, 3],
  ['too few checks', { ...DRIFT, expect: 'Held' }, {}, 30],
  ['a small burst', { ...BURST, expect: 'Held', ghostAllowing: { multiplier: 2 } }, {}, 3],
  ['a story as long as the window', DRIFT, { window: '23s' }, 3],
  ['a burst that is too large', { ...BURST, ghostAllowing: { multiplier: 3 } }, { requests: 5000 }, 3],
])('the words for a spec with %s', (_, scenario, limit, pods) => {
  const unprovable = spec({ limit }, [{ expect: 'Violated', ...scenario }]);
  const act = (): void => requireCapacity(rateLimiterKind, unprovable, { pods });
  expect(act).toThrowErrorMatchingSnapshot();
  expect(act).toThrow(expect.objectContaining({ reason: 'UnprovableSpec' }));
});

it.each([
  ['that is bundled', {}],
  ['HTTP', HTTP],
  ['the address of the operator', BY_ADDRESS],
])('the words at the start of a run on a limiter by %s', (_, limiter) => {
  const scenarios = [{ type: 'GhostAllowing', expect: 'Held' }];
  const target = { pods: [{ name: 'api-0', uid: 'u', imageId: 'i' }], store: 'redis-0 (10.0.0.7:6379)' };
  expect(rateLimiterKind.welcome(spec(limiter, scenarios), target)).toMatchSnapshot();
});

it('the words while a run waits for the limit of its address', () => {
  expect(rateLimiterKind.waitsFor?.(spec(BY_ADDRESS), undefined)).toMatchSnapshot();
});

import { describe, expect, it } from 'vitest';
import { expectRefusal } from '../../../../test/fixtures/subjects/targets/refusal.ts';
import type { LimiterChanges } from '../../../../test/kit/demo.ts';
import { limiterSpec } from '../../../../test/kit/driven-limiter.ts';
import { type ChaosDemoSpec, subjectPart } from '../../../api/index.ts';
import { requireCapacity } from '../../scenarios/capacity.ts';
import { scenarioTypeOf } from '../../scenarios/scenario-type.ts';
import { rateLimiterKind } from '../kind.ts';
import { PART, rateLimiterOf } from '../spec/schema.ts';
import { counterDrift as driftType } from './counter-drift/index.ts';

const HTTP = { http: { path: '/$(key)' } };
const COUNTED = { serviceName: 'redis', count: { key: 'rl:$(key)' } };

const spec = (scenario: object, limit: object = {}): ChaosDemoSpec =>
  limiterSpec({ ...('algorithm' in limit ? HTTP : {}), limit }, [{ name: 's', ...scenario }]);

const drift = (counterDrift: object, expect = 'Violated'): object => ({
  type: 'CounterDrift',
  counterDrift,
  expect,
});
const ghosts = (expect: string, ghostAllowing: object = {}): object => ({
  type: 'GhostAllowing',
  expect,
  ghostAllowing,
});

const outage = (type: string, duration: string, name = type.toLowerCase()): object => ({
  name,
  type: 'StoreOutage',
  storeOutage: { fault: { type, duration }, requestsPerSecond: 10 },
});

/** Of a limiter behind HTTP: 60 requests a minute, and so many at once. */
const bucket = (burst: number) => ({ algorithm: 'TokenBucket', requests: 60, window: '60s', burst });

describe('a spec that no run on so many pods can meet', () => {
  const held = ghosts('Held', { multiplier: 3 });
  const long = { fault: { type: 'Refuse', duration: '5m' }, requestsPerSecond: 50 };
  it.each<[string, object, object]>([
    ['a burst that a full bucket admits', held, bucket(180)],
    ['a bucket that no burst of one run can show', held, { ...bucket(5000), requests: 1 }],
    ['a long fault with more requests than a history keeps', { type: 'StoreOutage', storeOutage: long }, {}],
  ])('is refused: %s', (_, scenario, limit) => {
    const whole = spec(scenario, limit);
    expectRefusal(() => requireCapacity(rateLimiterKind, whole, { pods: 3 }), 'UnprovableSpec');
  });

  it.each<[string, object, object, number]>([
    ['the defaults', drift({}), {}, 3],
    ['the defaults as a gate', drift({}, 'Held'), {}, 29],
    [
      'just enough checks for each pod',
      drift({ fault: { duration: '2s' }, requestsPerSecond: 17 }, 'Held'),
      {},
      3,
    ],
    ['a small bucket on many pods', ghosts('Held', { multiplier: 3 }), bucket(10), 18],
    ['a burst with the limit for each pod', ghosts('Held'), { requests: 2 }, 3],
    ['a story just shorter than the window', drift({}), { window: '23001ms' }, 3],
  ])('is admitted: %s', (_, scenario, limit, pods) => {
    requireCapacity(rateLimiterKind, spec(scenario, limit), { pods });
  });

  it('is known to be one once the baseline is measured, before anything is injected', () => {
    const whole = spec(drift({}), { requests: 10 });
    const [scenario] = whole.scenarios;
    const limiter = rateLimiterOf(whole);
    const lagging = (lag: number, writeMaxMs = 1): string | undefined =>
      scenario &&
      driftType.plan(scenario, limiter).unprovable(3, {
        writeMaxMs,
        lags: new Map([[30, { lag, samples: 10 }]]),
      });
    expect(lagging(270)).toBeUndefined();
    expect(lagging(300)).toContain('305');
    // At another rate nothing was measured.
    expect(lagging(3, 2000)).toBeUndefined();
  });

  it.each([
    ['a bucket', { algorithm: 'TokenBucket' }],
    ['windows with a start of their own for each key', { windowStart: 'EachKey' }],
  ])('is counter drift of %s', (_, limit) => {
    const drifting = [{ name: 's', type: 'CounterDrift' }];
    const whole = limiterSpec({ ...HTTP, redis: COUNTED, limit }, drifting);
    expectRefusal(() => requireCapacity(rateLimiterKind, whole, { pods: 3 }), 'UnprovableSpec');
  });

  const byAddress = { http: { identity: 'SourceAddress', path: '/' } };

  it.each<[string, object]>([
    ['another algorithm on the bundled limiter', { limit: { algorithm: 'SlidingWindow' } }],
    ['windows by the clock on it', { limit: { windowStart: 'Clock' } }],
    ['a count by key of a caller that has none', { ...byAddress, redis: COUNTED }],
    ['chapters that use up the deadline', { pace: '10m' }],
  ])('is %s', (_, { limit, pace, ...limiter }: { limit?: object; pace?: string }) => {
    const plain = spec(ghosts('Held'));
    const part = subjectPart(plain, PART) as { readonly limit: object };
    const whole = { ...plain, rateLimiter: { ...part, ...limiter, limit: { ...part.limit, ...limit } } };
    if (pace) whole.pace.dwell = pace;
    expectRefusal(() => requireCapacity(rateLimiterKind, whole, { pods: 3 }), 'UnprovableSpec');
  });

  it('the drift tolerance is 150 ms of traffic, and at most half of the limit', () => {
    const of = (counterDrift: object, limit: object = {}): number => {
      const whole = spec(drift(counterDrift), limit);
      const [scenario] = whole.scenarios;
      return scenario ? driftType.plan(scenario, rateLimiterOf(whole)).tolerance : -1;
    };
    expect([
      of({}),
      of({ requestsPerSecond: 1000 }, { requests: 5000 }),
      of({ requestsPerSecond: 1000 }),
    ]).toEqual([5, 150, 5]);
    expect(of({}, { requests: 1 })).toBe(0);
  });
});

const admitted =
  (made: ChaosDemoSpec, masters = 1) =>
  () =>
    requireCapacity(rateLimiterKind, made, { pods: 3, masters });

describe('a run that rests until its one limit is whole again', () => {
  const http = { identity: 'SourceAddress', path: '/' };
  const one = (limit: object, scenario: object = { type: 'StoreOutage' }): ChaosDemoSpec =>
    limiterSpec({ http, limit: { windowStart: 'FirstRequest', requests: 30, ...limit } }, [
      { name: 's', ...scenario },
    ]);

  it('is rejected with its cool-downs in numbers if it does not', () => {
    expectRefusal(admitted(one({ window: '200s' })), 'UnprovableSpec');
    expect(admitted({ ...one({ window: '200s' }), activeDeadline: '15m' })).not.toThrow();
  });

  it('advises fewer pods only if there are several', () => {
    const small = one({ requests: 5, window: '60s' });
    expect(() => requireCapacity(rateLimiterKind, small, { pods: 1 })).toThrow(/6 in all.* at once: give /);
    expect(admitted(small)).toThrow(/18 in all.* select fewer pods, or give /);
  });

  it('has only as many trials as their rests leave room for in one fault', () => {
    const trials = (window: string, of: number) => admitted(one({ window }, ghosts('Any', { trials: of })));
    expect(trials('50s', 3)).not.toThrow();
    expectRefusal(trials('60s', 3), 'UnprovableSpec');
    expectRefusal(trials('2m', 2), 'UnprovableSpec');
    expect(trials('2m', 1)).not.toThrow();
  });
});

describe('a run on a Cluster', () => {
  const redis = { serviceName: 'redis' };
  const sentinel = { serviceName: 'redis-sentinel', masterName: 'limits' };
  const faultProxy = { serviceName: 'fault-proxy', authSecretName: 'fault-proxy-auth' };

  it('may have every fault of Redis, and read counts', () => {
    const outages = ['Stall', 'Disconnect', 'DataLoss'].map((type) => outage(type, '10s'));
    const scenarios = [...outages, { name: 'drift', type: 'CounterDrift' }];
    expect(admitted(limiterSpec({ ...HTTP, redis: COUNTED }, scenarios), 3)).not.toThrow();
  });

  it.each<[string, LimiterChanges]>([
    ['the bundled limiter', {}],
    ['Sentinels', { ...HTTP, redis: { ...redis, sentinel } }],
    ['a fault proxy', { ...HTTP, redis: { ...redis, faultProxy } }],
  ])('is refused with %s, and on one server is not', (_, limiter) => {
    expectRefusal(admitted(limiterSpec(limiter), 3), 'UnprovableSpec');
    expect(admitted(limiterSpec(limiter))).not.toThrow();
  });
});

describe('a spec with a failover', () => {
  const sentinel = { serviceName: 'sentinel', masterName: 'limits' };
  const redis = { serviceName: 'redis', failover: 'Allow', sentinel } as const;
  const failover = (...scenarios: object[]) =>
    admitted(limiterSpec({ ...HTTP, redis, limit: { window: '120s' } }, scenarios));

  it('can be run with permission, as the last scenario', () => {
    expect(failover(outage('Stall', '5s'), outage('Failover', '20s'))).not.toThrow();
  });

  it.each([
    ['in less time than it takes', [outage('Failover', '14s')]],
    ['before another scenario', [outage('Failover', '20s'), outage('Stall', '5s')]],
    ['twice', [outage('Failover', '20s'), outage('Failover', '20s', 'again')]],
  ])('cannot be run %s', (_, scenarios) => {
    expectRefusal(failover(...scenarios), 'UnprovableSpec');
  });
});

it('a scenario has a type that the subject has', () => {
  expect(() => scenarioTypeOf(rateLimiterKind, 'Latency')).toThrow(RangeError);
});

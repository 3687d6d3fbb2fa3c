import { UsageError } from '@chaosdemo/settings';
import { describe, expect, it } from 'vitest';
import { FACTS } from '../../../test/fixtures/cli/probe/facts.ts';
import type { ScenarioSpec } from '../../api/index.ts';
import { ghostAllowing } from '../../subjects/ratelimiter/scenarios/ghost-allowing/index.ts';
import { storeOutage } from '../../subjects/ratelimiter/scenarios/store-outage/index.ts';
import {
  completed,
  type RateLimiterSpec,
  rateLimiterSchema,
} from '../../subjects/ratelimiter/spec/schema.ts';
import { type ApiFacts, isKeyed, runOf, runOnMost } from './manifest.ts';

const { limit: counted, place, request: keyed } = FACTS;

interface Spec {
  readonly rateLimiter: object;
  readonly scenarios: readonly [ScenarioSpec, ScenarioSpec];
}
const specOf = (changes: Partial<ApiFacts> = {}): Spec =>
  runOf({ ...FACTS, ...changes }).demo.spec as unknown as Spec;

describe('the ChaosDemo for an API', () => {
  it('has a rate limiter that the schema accepts', () => {
    expect(
      completed(
        rateLimiterSchema.parse(
          specOf({ place: { ...place, redis: { serviceName: 'redis', authSecretName: 'redis-auth' } } })
            .rateLimiter,
        ),
      ),
    ).toMatchObject({
      selector: { matchLabels: { app: 'api' } },
      http: { identity: 'Key', headers: keyed.headers },
      redis: { serviceName: 'redis', authSecretName: 'redis-auth', otherClients: 'Reject' },
    });
  });

  it('has a scenario for each fault, with its length and the seed of the callers', () => {
    const faults = ['Stall', 'Disconnect'] as const;
    const { scenarios } = specOf({ faults, duration: '20s', seed: 7 });
    expect(scenarios).toMatchObject([
      { name: 'outage-stall', storeOutage: { fault: { type: 'Stall', duration: '20s' }, seed: 7 } },
      { name: 'outage-disconnect', storeOutage: { fault: { type: 'Disconnect', duration: '20s' } } },
      { name: 'burst' },
    ]);
    const [stall, refuse] = specOf({ faults: ['Stall', 'Refuse'], duration: '2m' }).scenarios;
    for (const one of [stall, refuse]) {
      expect(one).toMatchObject({ storeOutage: { fault: { duration: '2m', via: 'Proxy' } } });
    }
  });

  it('leaves out the return of limits if it is to be quick', () => {
    expect(specOf({ quick: true }).scenarios[0]).toMatchObject({ storeOutage: { limitReturn: 'Skip' } });
    expect(specOf().scenarios[0]['storeOutage']).not.toHaveProperty('limitReturn');
  });

  it('identifies callers by their address if the request has no place for a key', () => {
    const request = { ...keyed, headers: [] };
    expect(specOf({ request, instances: 1 }).rateLimiter).toMatchObject({
      http: { identity: 'SourceAddress' },
    });
    expect(isKeyed({ ...request, path: '/$(key)' })).toBe(true);
    expect(isKeyed({ ...request, body: '{"user":"$(key)"}' })).toBe(true);
  });

  it.each([
    ['15s', { settle: '2s', fault: { duration: '5s' } }, undefined],
    ['1m', { fault: { duration: '10s' } }, undefined],
    ['15m', { fault: { duration: '10s' } }, '1h3m'],
  ])('watches one caller for less than its window of %s', (window, storeOutage, activeDeadline) => {
    const request = { ...keyed, headers: [] };
    const limit = { ...counted, requests: 30, window };
    const spec = specOf({ request, limit, instances: 1, healthPath: undefined });
    const health = window === '15s' ? { timeout: '2s' } : undefined;
    expect(spec).toMatchObject({ scenarios: [{ storeOutage }, {}] });
    expect(spec).toEqual(expect.objectContaining(activeDeadline === undefined ? {} : { activeDeadline }));
    expect((spec.rateLimiter as { health?: object }).health).toEqual(health);
  });

  it('takes fewer instances if they share a limit that is too small', () => {
    const byAddress = { ...FACTS, request: { ...keyed, headers: [] } };
    expect([runOnMost(byAddress).instances, runOnMost(FACTS).instances]).toEqual([1, 3]);
  });

  it('states which windows fit a run with one caller', () => {
    const limit = { ...counted, requests: 30, window: '12s' };
    const request = { ...keyed, headers: [] };
    expect(() => specOf({ request, limit, instances: 1 })).toThrow(/ 13 s to 1 h/);
    expect(specOf({ limit })).toHaveProperty('scenarios');
    const small = { ...counted, requests: 5 };
    expect(() => specOf({ request, limit: small, instances: 1 })).toThrow(/ at least 6 requests/);
    expect(specOf({ request, limit: { ...small, requests: 6 }, instances: 1 })).toHaveProperty('scenarios');
  });

  const windows = ['1s', '2s', '10s', '1m', '15m', '1h'];
  const cases = windows.flatMap((window) => [1, 2, 3, 10].map((instances) => ({ window, instances })));

  it.each([
    [1, 24],
    [10, 24],
    [20, 24],
    [100, 21],
    [300, 17],
    [1000, 14],
    [5000, 6],
  ])('with limit %d, sends enough to prove something in %d of 24 cases', (requests, provable) => {
    const specs = cases.flatMap(({ instances, window }) => {
      try {
        return [{ instances, spec: specOf({ limit: { ...counted, requests, window }, instances }) }];
      } catch (error) {
        expect(error).toBeInstanceOf(UsageError);
        return [];
      }
    });
    for (const { instances, spec } of specs) {
      const limiter = completed(rateLimiterSchema.parse(spec.rateLimiter));
      expect([requests, instances, limiter.limit.window, ...unprovable(spec, limiter, instances)]).toEqual([
        requests,
        instances,
        limiter.limit.window,
        undefined,
        undefined,
      ]);
    }
    expect(specs.length).toBe(provable);
  });
});

/** Why no run can end as expected, for each scenario as the API server returns it. */
function unprovable(
  { scenarios }: Spec,
  limiter: RateLimiterSpec,
  instances: number,
): (string | undefined)[] {
  const [outage, burst] = scenarios;
  const common = { expect: 'Held', countdown: '3s' } as const;
  const storeOutageOf = storeOutage.api.schema.parse(outage['storeOutage']);
  const ghostAllowingOf = ghostAllowing.api.schema.parse(burst['ghostAllowing'] ?? {});
  return [
    storeOutage.plan({ ...outage, ...common, storeOutage: storeOutageOf }, limiter),
    ghostAllowing.plan({ ...burst, ...common, ghostAllowing: ghostAllowingOf }, limiter),
  ].map((plan) => plan.unprovable(instances));
}

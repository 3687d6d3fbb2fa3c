import { describe, expect, it } from 'vitest';
import { expectRefusal } from '../../../../test/fixtures/subjects/targets/refusal.ts';
import { limiterSpec } from '../../../../test/kit/driven-limiter.ts';
import type { ChaosDemoSpec } from '../../../api/index.ts';
import { requireCapacity } from '../../scenarios/capacity.ts';
import { rateLimiterKind } from '../kind.ts';

const SENTINEL = { serviceName: 'sentinel', masterName: 'limits' };
const outage = (type: string, duration: string, name = type.toLowerCase()): object => ({
  name,
  type: 'StoreOutage',
  storeOutage: { fault: { type, duration }, requestsPerSecond: 10 },
});

function specOf(scenarios: readonly object[]): ChaosDemoSpec {
  const allowed = { serviceName: 'redis', failover: 'Allow', sentinel: SENTINEL };
  return limiterSpec({ redis: allowed, http: { path: '/$(key)' }, limit: { window: '120s' } }, scenarios);
}

describe('a spec with a failover', () => {
  it('can be run with permission, as the last scenario', () => {
    const spec = specOf([outage('Stall', '5s'), outage('Failover', '20s')]);
    expect(() => requireCapacity(rateLimiterKind, spec, { pods: 3 })).not.toThrow();
  });

  it.each([
    ['in less time than it takes', [outage('Failover', '14s')]],
    ['before another scenario', [outage('Failover', '20s'), outage('Stall', '5s')]],
    ['twice', [outage('Failover', '20s'), outage('Failover', '20s', 'again')]],
  ])('cannot be run %s', (_, scenarios) => {
    expectRefusal(() => requireCapacity(rateLimiterKind, specOf(scenarios), { pods: 3 }), 'UnprovableSpec');
  });
});

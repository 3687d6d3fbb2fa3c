import { describe, expect, it } from 'vitest';
import { expectRefusal } from '../../../../test/fixtures/subjects/targets/refusal.ts';
import type { LimiterChanges } from '../../../../test/kit/demo.ts';
import { limiterSpec } from '../../../../test/kit/driven-limiter.ts';
import { requireCapacity } from '../../scenarios/capacity.ts';
import { rateLimiterKind } from '../kind.ts';

const http = { http: { headers: [{ name: 'x-caller', value: '$(key)' }] } };
const sentinel = { serviceName: 'redis-sentinel', masterName: 'limits' };
const faultProxy = { serviceName: 'fault-proxy', authSecretName: 'fault-proxy-auth' };

describe('a run on a Cluster', () => {
  it('may have every fault of Redis, and read counts', () => {
    const outages = ['Stall', 'Disconnect', 'DataLoss'].map((type) => ({
      name: type.toLowerCase(),
      type: 'StoreOutage',
      storeOutage: { fault: { type } },
    }));
    const scenarios = [...outages, { name: 'drift', type: 'CounterDrift' }];
    const limiter = { ...http, redis: { serviceName: 'redis', count: { key: 'rl:$(key)' } } };
    expect(() =>
      requireCapacity(rateLimiterKind, limiterSpec(limiter, scenarios), { pods: 3, masters: 3 }),
    ).not.toThrow();
  });

  it.each<[string, LimiterChanges]>([
    ['the bundled limiter', {}],
    ['Sentinels', { ...http, redis: { serviceName: 'redis', sentinel } }],
    ['a fault proxy', { ...http, redis: { serviceName: 'redis', faultProxy } }],
  ])('is refused with %s, and on one server is not', (_, limiter) => {
    const spec = limiterSpec(limiter);
    expectRefusal(() => requireCapacity(rateLimiterKind, spec, { pods: 3, masters: 3 }), 'UnprovableSpec');
    expect(() => requireCapacity(rateLimiterKind, spec, { pods: 3 })).not.toThrow();
  });
});

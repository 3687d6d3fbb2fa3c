import { describe, expect, it } from 'vitest';
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

  it.each<[string, LimiterChanges, RegExp]>([
    ['the bundled limiter', {}, /bundled limiter .*http/],
    ['Sentinels', { ...http, redis: { serviceName: 'redis', sentinel } }, /no Sentinel watches .*leave/],
    ['a fault proxy', { ...http, redis: { serviceName: 'redis', faultProxy } }, /fault proxy: leave/],
  ])('is refused with %s, and on one server is not', (_, limiter, message) => {
    const spec = limiterSpec(limiter);
    expect(() => requireCapacity(rateLimiterKind, spec, { pods: 3, masters: 3 })).toThrow(message);
    expect(() => requireCapacity(rateLimiterKind, spec, { pods: 3, masters: 3 })).toThrow(
      /^Redis is a Cluster of 3 primaries, and /,
    );
    expect(() => requireCapacity(rateLimiterKind, spec, { pods: 3 })).not.toThrow();
  });
});

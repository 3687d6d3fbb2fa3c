import { describe, expect, it } from 'vitest';
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

function specOf(
  { redis = {} }: { redis?: object } = {},
  scenarios: readonly object[] = [outage('Failover', '20s')],
): ChaosDemoSpec {
  const allowed = { serviceName: 'redis', failover: 'Allow', sentinel: SENTINEL, ...redis };
  return limiterSpec({ redis: allowed, http: { path: '/$(key)' }, limit: { window: '120s' } }, scenarios);
}

describe('a spec with a failover', () => {
  it('can be run with permission, as the last scenario', () => {
    const spec = specOf({}, [outage('Stall', '5s'), outage('Failover', '20s')]);
    expect(() => requireCapacity(rateLimiterKind, spec, { pods: 3 })).not.toThrow();
  });

  it.each([
    ['in less time than it takes', specOf({}, [outage('Failover', '14s')]), /duration to at least 15s/],
    [
      'before another scenario',
      specOf({}, [outage('Failover', '20s'), outage('Stall', '5s')]),
      /scenario failover .*the last scenario/,
    ],
    [
      'twice',
      specOf({}, [outage('Failover', '20s'), outage('Failover', '20s', 'again')]),
      /scenario failover .*the last scenario/,
    ],
  ])('cannot be run %s', (_, spec, message) => {
    expect(() => requireCapacity(rateLimiterKind, spec, { pods: 3 })).toThrow(message);
  });
});

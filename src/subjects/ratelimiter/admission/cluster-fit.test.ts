import { describe, expect, it } from 'vitest';
import { limiterSpec } from '../../../../test/kit/driven-limiter.ts';
import { requireFitForCluster } from './cluster-fit.ts';

const http = { interface: 'HTTP', http: { headers: [{ name: 'x-caller', value: '$(key)' }] } };
const outage = (type: string, more: object = {}) => ({
  name: 'outage',
  type: 'StoreOutage',
  storeOutage: { fault: { type, ...more } },
});
const sentinel = { service: 'redis-sentinel', masterName: 'limits' };

describe('a run on a Cluster', () => {
  it('may stall and break it, lose counts, send bursts, and read counts', () => {
    const scenarios = [
      outage('Stall'),
      outage('Break'),
      outage('Lose'),
      { name: 'ghosts', type: 'GhostAllowing' },
      { name: 'drift', type: 'CounterDrift' },
    ];
    const limiter = { ...http, redis: { service: 'redis', count: { key: 'rl:$(key)' } } };
    expect(() => requireFitForCluster({ spec: limiterSpec(limiter, scenarios) }, 3)).not.toThrow();
  });

  it.each<[string, object, object[], RegExp]>([
    ['the bundled limiter', {}, [outage('Stall')], /interface Reference .*set interface to HTTP/],
    [
      'Sentinels',
      { ...http, redis: { service: 'redis', sentinel } },
      [outage('Stall')],
      /no Sentinel watches/,
    ],
    ['Slow', http, [outage('Stall'), { ...outage('Slow'), name: 'slow' }], /scenario slow: fault type Slow/],
  ])('is refused with %s, and on one server is not', (_, limiter, scenarios, message) => {
    const request = { spec: limiterSpec(limiter, scenarios) };
    expect(() => requireFitForCluster(request, 3)).toThrow(message);
    expect(() => requireFitForCluster(request, 3)).toThrow(/^Redis is a Cluster of 3 primaries, and /);
    expect(() => requireFitForCluster(request, 1)).not.toThrow();
  });
});

import { describe, expect, it } from 'vitest';
import { limiterSpec } from '../../../../test/kit/driven-limiter.ts';
import { type ScenarioSpec } from '../../../api/index.ts';
import { scenarioOf } from '../../scenarios/scenario-type.ts';
import { rateLimiterOf } from '../spec/schema.ts';
import { counterDrift } from './counter-drift/index.ts';
import { storeOutage } from './store-outage/index.ts';

function scenarioWith(storeOutage: object, redis: object = {}) {
  const faultProxy = { serviceName: 'fault-proxy', authSecretName: 'fault-proxy-auth' };
  const spec = limiterSpec({ redis: { serviceName: 'redis-upstream', faultProxy, ...redis } }, [
    { name: 'outage', type: 'StoreOutage', storeOutage },
  ]);
  const [scenario] = spec.scenarios as readonly ScenarioSpec[];
  return { scenario: scenario as ScenarioSpec, limiter: rateLimiterOf(spec) };
}

/** Why a scenario with this fault can show nothing with such a Redis, whatever else it lacks. */
function problem(parameters: object, redis: object = {}): string | undefined {
  const { limiter, scenario } = scenarioWith(parameters, redis);
  return storeOutage.plan(scenario, limiter).unprovable(3);
}

const PROXIED = [
  { type: 'Refuse' },
  { type: 'StalePrimary' },
  { type: 'Stall', via: 'Proxy' },
  { type: 'Latency' },
];

describe('a fault of a fault proxy', () => {
  it('can be shown by default, and others need no proxy', () => {
    for (const fault of PROXIED) expect(problem({ fault })).toBeUndefined();
    expect(problem({ fault: { type: 'Disconnect' } }, { faultProxy: undefined })).toBeUndefined();
  });

  it('is announced for as long as connections stay stale', () => {
    const planned = (type: string) => {
      const times = { settle: '20s', callerTimeout: '5s' };
      const { limiter, scenario } = scenarioWith({ fault: { type, duration: '10s' }, ...times });
      return scenarioOf(storeOutage.plan(scenario, limiter));
    };
    const [refuse, stale] = [planned('Refuse'), planned('StalePrimary')];
    expect([refuse.faultMs, stale.faultMs]).toEqual([10_000, 10_000 + 20_000 + 1000 + 5000]);
    expect(stale.faultMs + stale.settleMs).toBe(refuse.faultMs + refuse.settleMs);
    const long = (settle: string) => ({ fault: { type: 'StalePrimary', duration: '9m48s' }, settle });
    expect(problem(long('10s'))).toBeUndefined();
    expect(problem(long('11s'))).toMatch(/no fault longer than 10m:/);
  });
});

describe('the mechanism of a fault', () => {
  const chosen = (fault: object, redis: object = {}): string => {
    const { limiter, scenario } = scenarioWith({ fault }, redis);
    return storeOutage.plan(scenario, limiter).faultTitle;
  };

  it('is Redis if the type permits it', () => {
    expect(chosen({ type: 'Stall' })).toMatch(/^Redis stops taking writes/);
    expect(chosen({ type: 'Latency' })).toMatch(/^Redis replies late/);
    expect(chosen({ type: 'Refuse' })).toMatch(/^Redis refuses connections/);
  });

  it('has to hold writes back to make counters drift', () => {
    const { limiter, scenario } = scenarioWith({}, { count: { key: 'rl:$(key)' } });
    const drifts = (fault: object): string | undefined =>
      counterDrift
        .plan({ ...scenario, counterDrift: counterDrift.api.schema.parse({ fault }) }, limiter)
        .unprovable(3);
    for (const type of ['Stall', 'Disconnect']) expect(drifts({ type })).toBeUndefined();
    for (const fault of [...PROXIED, { type: 'DataLoss' }]) {
      expect(drifts(fault)).toContain('counterDrift.fault does not');
    }
  });
});

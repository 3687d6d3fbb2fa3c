import { describe, expect, it } from 'vitest';
import { type ScenarioSpec, specSchema } from '../../../../api/index.ts';
import { rateLimiterApi } from '../../api.ts';
import { rateLimiterOf } from '../../schema.ts';
import { planOf } from '../scenario-type.ts';
import { storeOutage } from './index.ts';
import { proxyUnprovable } from './proxied.ts';

function scenarioWith(storeOutage: object, redis: object = {}) {
  const faultProxy = { service: 'fault-proxy', authSecretName: 'fault-proxy-auth' };
  const spec = specSchema([rateLimiterApi]).parse({
    rateLimiter: {
      selector: { matchLabels: { app: 'x' } },
      interface: 'Reference',
      redis: { service: 'redis-upstream', faultProxy, ...redis },
    },
    scenarios: [{ name: 'outage', type: 'StoreOutage', storeOutage }],
  });
  const [scenario] = spec.scenarios as readonly ScenarioSpec[];
  return { scenario: scenario as ScenarioSpec, limiter: rateLimiterOf(spec) };
}

/** Why a scenario with this fault can show nothing with such a Redis. */
function problem(storeOutage: object, redis: object = {}): string | undefined {
  const { limiter, scenario } = scenarioWith(storeOutage, redis);
  return proxyUnprovable(scenario, limiter);
}

const PROXIED = ['Refuse', 'StaleMaster', 'Blackhole', 'Latency'];

describe('a fault of a fault proxy', () => {
  it('can be shown by default, and others need no proxy', () => {
    for (const type of PROXIED) expect(problem({ fault: { type } })).toBeUndefined();
    expect(problem({ fault: { type: 'Break' } }, { faultProxy: undefined })).toBeUndefined();
  });

  it.each(PROXIED)('of type %s needs a proxy', (type) => {
    expect(problem({ fault: { type } }, { faultProxy: undefined })).toContain('rateLimiter.redis.faultProxy');
  });

  it('reads no commands within TLS', () => {
    expect(problem({ fault: { type: 'StaleMaster' } }, { tls: true })).toContain('redis.tls');
    for (const type of ['Refuse', 'Blackhole', 'Latency']) {
      expect(problem({ fault: { type } }, { tls: true })).toBeUndefined();
    }
  });

  it('is announced for as long as connections stay stale', () => {
    const planned = (type: string) => {
      const times = { settle: '20s', callerTimeout: '5s' };
      const { limiter, scenario } = scenarioWith({ fault: { type, duration: '10s' }, ...times });
      return planOf(storeOutage, scenario, limiter);
    };
    const [refuse, stale] = [planned('Refuse'), planned('StaleMaster')];
    expect([refuse.faultMs, stale.faultMs]).toEqual([10_000, 10_000 + 20_000 + 1000 + 5000]);
    expect(stale.faultMs + stale.settleMs).toBe(refuse.faultMs + refuse.settleMs);
  });

  it('keeps connections stale for at most a minute', () => {
    const fault = { type: 'StaleMaster', duration: '40s' };
    expect(problem({ fault, settle: '18s', callerTimeout: '1s' })).toBeUndefined();
    expect(problem({ fault, settle: '19s', callerTimeout: '1s' })).toContain('1m1s in all');
  });
});

import { describe, expect, it } from 'vitest';
import { type ScenarioSpec, specSchema } from '../../../../api/index.ts';
import { rateLimiterApi } from '../../api.ts';
import { rateLimiterOf } from '../../schema.ts';
import { proxyUnprovable } from './proxied.ts';

/** Why a scenario with this fault can show nothing with such a Redis. */
function problem(storeOutage: object, redis: object = {}): string | undefined {
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
  return scenario && proxyUnprovable(scenario, rateLimiterOf(spec));
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

  it('keeps connections stale for at most a minute', () => {
    const fault = { type: 'StaleMaster', duration: '40s' };
    expect(problem({ fault, settle: '18s', callerTimeout: '1s' })).toBeUndefined();
    expect(problem({ fault, settle: '19s', callerTimeout: '1s' })).toContain('1m1s in all');
  });
});

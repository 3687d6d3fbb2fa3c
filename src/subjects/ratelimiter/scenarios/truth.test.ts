import { expect, it } from 'vitest';
import { bundleOf } from '../../../../test/fixtures/diagnosis/bundle.ts';
import { limiterSpec } from '../../../../test/kit/driven-limiter.ts';
import { plansOf } from '../../scenarios/scenario-type.ts';
import { truthIn } from '../../scenarios/truth.ts';
import { rateLimiterKind } from '../kind.ts';

it('the truth of a fault is in all components of its role', () => {
  const bundle = bundleOf({ replicas: 2, parts: [] });
  const [anomaly, components] = ['uncoordinated-admission', ['replica-1', 'replica-2']] as const;
  expect(truthIn({ anomalies: [anomaly], at: 'replica' }, bundle)).toEqual([{ anomaly, components }]);
});

it.each([
  ['by Sentinel', { sentinel: { serviceName: 'sentinel', masterName: 'limits' } }, ['store-restarted']],
  ['of a Cluster, which loses no write', {}, []],
])('the truth is more than one anomaly in a failover %s', (_, redis, more) => {
  const fault = { type: 'Failover', duration: '20s' };
  const spec = limiterSpec({ redis: { serviceName: 'redis', failover: 'Allow', ...redis } }, [
    { name: 'failover', type: 'StoreOutage', storeOutage: { fault } },
  ]);
  const { anomalies } = plansOf(rateLimiterKind, spec)[0]?.truth ?? {};
  expect(anomalies).toEqual(['store-connections-broken', ...more]);
});
